// SPDX-License-Identifier: Apache-2.0
// HTML that can't be broken out of: all that is put into a template is text, and escaped, unless it
// came from a template itself.

/** A piece of HTML. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | readonly Html[];

/** `html`<p>${text}</p>`` */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((string, index) => string + render(parts[index])).join(""));
}

export const nothing = new Html("");

function render(part: Part | undefined): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(({ text }) => text).join("\n");
  return escapeText(String(part));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for elements and quoted attributes; what no text may have, or turns its direction, is shown. */
export function escapeText(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => entities[character] ?? "")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "\ufffd");
}

/** Cells of a table: `numeric` ones stand to the right. */
export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
  /** Whether it has digests, addresses or commands. */
  readonly code?: boolean;
}

/** A table; the first cell of each row is its heading. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | Html)[])[],
): Html {
  const classOf = ({ numeric, code }: Column): string =>
    [...(numeric ? ["numeric"] : []), ...(code ? ["code"] : [])].join(" ");
  const heads = columns.map(
    (column) => html`<th scope="col" class="${classOf(column)}">${column.title}</th>`,
  );
  const body = rows.map((cells) => {
    const rendered = cells.map((cell, index) => {
      const kind = classOf(columns[index] ?? { title: "" });
      return index === 0
        ? html`<th scope="row" class="${kind}">${cell}</th>`
        : html`<td class="${kind}">${cell}</td>`;
    });
    return html`<tr>${rendered}</tr>`;
  });
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}
</tbody>
</table></div>`;
}

/** What is there for those who want it, under a line that says what. */
export function details(summary: string, content: Html): Html {
  return html`<details><summary>${summary}</summary>
${content}
</details>`;
}
