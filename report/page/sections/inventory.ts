// SPDX-License-Identifier: Apache-2.0
// The sections of what there is: memory, privileges, trusted bases, materials.

import { alike, namesInShort } from "../../model/alike.js";
import type { Report } from "../../model/report.js";
import type { TrustedBase, TrustedParty } from "../../model/trusted-base.js";
import { formatBytes } from "../../units.js";
import { regionWords } from "../../words.js";
import { figure } from "../chart.js";
import { addressText, guestMapChart } from "../charts/guest-map-chart.js";
import { partText, type Stack, stackedChart } from "../charts/stacked-chart.js";
import { details, type Html, html, nothing, table } from "../html.js";
import { keyOf } from "./timelines.js";

/** More domains than this are folded away. */
const MOST_DOMAINS = 12;
/** Rows that a chart of materials has at most; the table has all. */
const MOST_MATERIALS = 10;

/** What each domain is: its description, as its plan has it. */
export function domainsSection({ domains }: Report): Html {
  const rows = domains.map((domain) => [
    ...[domain.name, String(domain.domid), String(domain.vcpus), formatBytes(domain.memoryBytes)],
    domain.roles.join(", ") || "none",
    ...(hasLabels(domains) ? [domain.label === "" ? "none" : domain.label] : []),
    domain.cmdline === undefined ? "" : html`<code>${domain.cmdline}</code>`,
  ]);
  const numeric = (title: string) => ({ title, numeric: true });
  const all = table(
    "Domains",
    [
      ...[{ title: "Domain" }, numeric("Domid"), numeric("vCPUs"), numeric("Memory")],
      { title: "Roles" },
      ...(hasLabels(domains) ? [{ title: "FLASK label" }] : []),
      { title: "Command line", code: true },
    ],
    rows,
  );
  const count = `All ${domains.length} domains`;
  return html`<section id="domains" aria-labelledby="domains-title">
<h2 id="domains-title">Domains</h2>
${domains.length > MOST_DOMAINS ? details(count, all) : html`<div class="matrix">${all}</div>`}
</section>`;
}

function hasLabels(domains: Report["domains"]): boolean {
  return domains.some(({ label }) => label !== "");
}

export async function memorySection({ memory }: Report): Promise<Html> {
  const { host, guests } = memory;
  const partOf = (share: (typeof host.shares)[number], isGone: boolean) => {
    const { what, domains, bytes } = share;
    const names = { xen: "Xen", "boot-domain": "boot domain", domain: namesInShort(domains) };
    const name = isGone ? "free again" : names[what];
    const paint = { xen: "var(--xen)", "boot-domain": "url(#gone)", domain: "var(--kernel)" }[what];
    const more = isGone
      ? "the boot domain's until its exit"
      : domains.length > 1
        ? domains.join(", ")
        : "";
    return {
      name,
      amount: bytes,
      paint: isGone ? "var(--free)" : paint,
      text: partText(name, formatBytes(bytes), more),
    };
  };
  const total = formatBytes(host.totalBytes);
  const stacks: Stack[] = [
    {
      name: "while it launches",
      parts: host.shares.map((share) => partOf(share, false)),
      note: total,
    },
    {
      name: "after the exit",
      parts: host.shares.map((share) => partOf(share, share.what === "boot-domain")),
      note: total,
    },
  ];
  const hostRows = host.shares.map(({ what, domains, bytes }) => [
    what === "domain" ? domains.join(", ") : what === "xen" ? "Xen" : "boot domain, until its exit",
    formatBytes(bytes),
    String(bytes),
  ]);
  const bytesColumns = [
    { title: "Size", numeric: true },
    { title: "Bytes", numeric: true },
  ];
  const hostFigure = await figure(
    `The host's memory: ${total} at least`,
    [stackedChart("The host's memory", stacks)],
    {
      below: details(
        "The host's memory as a table",
        table("The host's memory", [{ title: "Whose" }, ...bytesColumns], hostRows),
      ),
    },
  );
  const guestRows = guests.flatMap(({ domains, regions }) =>
    regions.map(({ what, address, bytes, clearedBytes }) => [
      ...[namesInShort(domains), regionWords[what], addressText(address), formatBytes(bytes)],
      ...[String(bytes), clearedBytes === 0 ? "" : formatBytes(clearedBytes)],
    ]),
  );
  const maps = await Promise.all(
    guests.map((map) =>
      figure(`${namesInShort(map.domains)}: ${formatBytes(map.bytes)}`, [guestMapChart(map)], {}),
    ),
  );
  const guestTable = table(
    "Memory of the domains",
    [
      ...[
        { title: "Domain" },
        { title: "What" },
        { title: "Address", code: true },
        ...bytesColumns,
      ],
      { title: "Cleared", numeric: true },
    ],
    guestRows,
  );
  return html`<section id="memory" aria-labelledby="memory-title">
<h2 id="memory-title">Memory</h2>
${hostFigure}
<h3>Of each domain, as it starts</h3>
<p>In the order of addresses; small regions are drawn wider than they are.</p>
${keyOf([
  ["kernel", "kernel"],
  ["ramdisk", "ramdisk"],
  ["ready", "start of day"],
  ["zeros", "zeros that it relies on"],
  ["free", "free: what lies there is nobody's promise"],
  ["wait", "reserved"],
])}
${maps}
${details("Memory of the domains as a table", guestTable)}
</section>`;
}

export function privilegesSection(report: Report): Html {
  const { privileges, trustedBases } = report;
  const columns = [...new Set(privileges.map(({ may, over }) => `${may} ${over}`))];
  const domains = trustedBases.map(({ domain }) => domain);
  const cellOf = (domain: string, column: string): string =>
    privileges
      .filter((one) => one.domain === domain && `${one.may} ${one.over}` === column)
      .map(({ because }) => `✓ ${because}`)
      .join(", ");
  const cells = domains.map((domain) => columns.map((column) => cellOf(domain, column) || "–"));
  const rows = alike(cells, (row) => JSON.stringify(row)).map((group) => [
    namesInShort(group.flatMap((index) => domains[index] ?? [])),
    ...(cells[group[0] ?? 0] ?? []),
  ]);
  const matrix =
    columns.length === 0
      ? html`<p>No domain may do anything beyond its own memory and vCPUs.</p>`
      : table(
          "Who may do what, once the launch has ended",
          [{ title: "Domain" }, ...columns.map((title) => ({ title }))],
          rows,
        );
  return html`<section id="privileges" aria-labelledby="privileges-title">
<h2 id="privileges-title">Privileges</h2>
<p>Once the launch has ended. Until then the boot domain may create, fill and start the domains of its plan; it is gone since, and nothing can start it again.</p>
${columns.length === 0 ? matrix : html`<div class="matrix">${matrix}</div>`}
${linksOf(report)}
</section>`;
}

/** What joins domains to each other; nothing where nothing does. */
function linksOf({ links }: Report): Html {
  if (links.length === 0) return nothing;
  const rows = links.map((link) => {
    if (link.kind === "event-channel") {
      const both = `${link.owner} and ${link.peer} notify each other`;
      return [link.name ?? "", `event channel, port ${link.port}`, link.owner, link.peer, both];
    }
    const { name, owner, writers, readers, bytes, reference } = link;
    const others = [...writers.slice(1), ...readers].join(", ");
    const may = readers.length === 0 ? "" : `; ${readers.join(", ")} may only read`;
    const what = `${formatBytes(bytes)} of memory, grant ${reference}`;
    return [name ?? "", what, owner, others, `${writers.join(", ")} may write${may}`];
  });
  const columns = ["Link", "What it is", "Of", "With", "What it allows"].map((title) => ({
    title,
  }));
  return html`<h3>Links</h3>
<div class="matrix">${table("Links between domains", columns, rows)}</div>`;
}

const partPaints: Readonly<Record<TrustedParty["part"], string>> = {
  xen: "var(--xen)",
  "boot-domain": "url(#gone)",
  kernel: "var(--kernel)",
  ramdisk: "var(--ramdisk)",
  controller: "var(--bad)",
  sharer: "var(--start)",
  host: "var(--other)",
};

export async function trustSection({ trustedBases }: Report): Promise<Html> {
  const groups = alike(trustedBases, ({ parties, domain }) =>
    JSON.stringify(parties.map((one) => [one.who.replace(domain, ""), one.why, one.bytes])),
  ).map((group) => group.flatMap((index) => trustedBases[index] ?? []));
  const stacks = groups.map((group): Stack => {
    const [first] = group;
    const parts = (first?.parties ?? [])
      .filter(({ part }) => part !== "host")
      .map((one) => {
        const name = whoIn(group, one);
        const size = one.bytes ?? 0;
        const text =
          one.bytes === null ? `${name} · size not known` : partText(name, formatBytes(size));
        return { name, amount: size, paint: partPaints[one.part], text: `${text} · ${one.why}` };
      });
    const names = namesInShort(group.map(({ domain }) => domain));
    return { name: names, parts, note: formatBytes(first?.bytes ?? 0) };
  });
  const rows = groups.flatMap((group) =>
    (group[0]?.parties ?? []).map((one) => [
      ...[namesInShort(group.map(({ domain }) => domain)), whoIn(group, one), one.why],
      ...(one.bytes === null ? ["not known", ""] : [formatBytes(one.bytes), String(one.bytes)]),
    ]),
  );
  const drawn = await figure(
    "Bytes of the code that each domain trusts",
    [stackedChart("Trusted computing base of each domain", stacks)],
    {
      legend: keyOf([
        ["xen", "Xen"],
        ["gone", "boot domain, gone since its exit"],
        ["kernel", "its own kernel"],
        ["ramdisk", "its own ramdisk"],
        ["bad", "who may do anything to it"],
        ["start", "who shares memory with it"],
      ]),
      below: details(
        "All parties as a table",
        table(
          "Trusted computing bases",
          [
            ...[{ title: "Domain" }, { title: "Trusts" }, { title: "Because it" }],
            ...[
              { title: "Size", numeric: true },
              { title: "Bytes", numeric: true },
            ],
          ],
          rows,
        ),
      ),
    },
  );
  return html`<section id="trust" aria-labelledby="trust-title">
<h2 id="trust-title">Trusted computing bases</h2>
<p>Whose code can break a domain's isolation, or part of it.</p>
${trustedBases.length === 0 ? nothing : drawn}
</section>`;
}

/** A party as all domains of a group have it. */
function whoIn(group: readonly TrustedBase[], { who, part }: TrustedParty): string {
  if (part !== "kernel" && part !== "ramdisk") return who;
  return group.length === 1 ? who : `its ${part}`;
}

export async function materialsSection({ materials, runs }: Report): Promise<Html> {
  const largest = [...materials].sort((a, b) => b.bytes - a.bytes).slice(0, MOST_MATERIALS);
  const several = new Set(materials.map(({ plan }) => plan)).size > 1;
  const planOf = (plan: string): string => (several ? `, ${plan} plan` : "");
  const paints = {
    ...{ kernel: "var(--kernel)", ramdisk: "var(--ramdisk)" },
    ...{ startOfDay: "var(--ready)", vcpuContext: "var(--start)" },
  };
  const stacks = largest.map(({ plan, kind, number, bytes, usedBy }): Stack => {
    const name = `${number} ${regionWords[kind]}${planOf(plan)}`;
    const by = usedBy.length === 0 ? "used by no domain" : `for ${usedBy.join(", ")}`;
    const part = { name: namesInShort(usedBy), amount: bytes, paint: paints[kind] };
    return {
      name,
      parts: [{ ...part, text: partText(name, formatBytes(bytes), by) }],
      note: formatBytes(bytes),
    };
  });
  const rows = materials.map(({ plan, kind, number, bytes, digest, usedBy }) => [
    ...[`${number}${planOf(plan)}`, regionWords[kind], namesInShort(usedBy), formatBytes(bytes)],
    ...[String(bytes), html`<code>${digest}</code>`],
  ]);
  const caption =
    materials.length > largest.length
      ? `The largest ${largest.length} of ${materials.length}`
      : "All of them, the largest first";
  const drawn = await figure(caption, [stackedChart("Materials by size", stacks)], {});
  return html`<section id="materials" aria-labelledby="materials-title">
<h2 id="materials-title">Materials</h2>
<p>What the image holds, each verified before its first use${runs.length > 1 ? ", of both plans" : ""}.</p>
${drawn}
${details(
  `All ${materials.length} with their digests`,
  table(
    "Materials",
    [
      ...[{ title: "Material" }, { title: "Kind" }, { title: "For" }],
      ...[
        { title: "Size", numeric: true },
        { title: "Bytes", numeric: true },
      ],
      { title: "SHA-256", code: true },
    ],
    rows,
  ),
)}
</section>`;
}
