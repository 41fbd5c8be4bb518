// SPDX-License-Identifier: Apache-2.0
// A report in a browser: what a mark of a chart tells, for the pointer and for the keyboard. Tab goes
// from chart to chart; arrows go from mark to mark, Home and End to the first and the last, Escape
// hides what is told. Without this script the tables say the same.

(() => {
  const told = '[class*="tells-"] [aria-label]';
  const tooltip = document.createElement("div");
  tooltip.className = "tooltip";
  tooltip.setAttribute("aria-hidden", "true");
  tooltip.hidden = true;
  document.body.append(tooltip);

  /** @type {Map<Element, SVGGraphicsElement[]>} */
  const marksOf = new Map();
  for (const chart of document.querySelectorAll("svg.chart")) {
    /** @type {SVGGraphicsElement[]} */
    const marks = [...chart.querySelectorAll(told)].filter(
      (mark) => mark instanceof SVGGraphicsElement,
    );
    marks.sort(byPlace);
    for (const [index, mark] of marks.entries()) {
      mark.setAttribute("tabindex", index === 0 ? "0" : "-1");
    }
    marksOf.set(chart, marks);
  }

  /** @param {SVGGraphicsElement} mark */
  function middleOf(mark) {
    const { top, height, left } = mark.getBoundingClientRect();
    return { row: top + height / 2, left };
  }

  /**
   * By rows, and in a row from left to right; marks of one row differ little in height.
   *
   * @param {SVGGraphicsElement} one
   * @param {SVGGraphicsElement} other
   */
  function byPlace(one, other) {
    const [a, b] = [middleOf(one), middleOf(other)];
    return Math.round((a.row - b.row) / 8) || a.left - b.left;
  }

  /**
   * The mark of the nearest row above or below that lies nearest.
   *
   * @param {SVGGraphicsElement[]} marks
   * @param {SVGGraphicsElement} from
   * @param {1 | -1} direction
   */
  function inNextRow(marks, from, direction) {
    const { row, left } = middleOf(from);
    const others = marks
      .map((mark) => ({ mark, ...middleOf(mark) }))
      .filter((other) => (other.row - row) * direction > 4);
    const rows = others.map((other) => Math.abs(other.row - row));
    const nearest = Math.min(...rows);
    return others
      .filter((other) => Math.abs(other.row - row) < nearest + 4)
      .sort((a, b) => Math.abs(a.left - left) - Math.abs(b.left - left))[0]?.mark;
  }

  /** @param {SVGGraphicsElement} mark */
  function tell(mark) {
    const lines = (mark.getAttribute("aria-label") ?? "").split(" · ");
    tooltip.replaceChildren(
      ...lines.map((line) => {
        const element = document.createElement("div");
        element.textContent = line;
        return element;
      }),
    );
    tooltip.hidden = false;
    const at = mark.getBoundingClientRect();
    const own = tooltip.getBoundingClientRect();
    const middle = at.left + Math.min(at.width, innerWidth) / 2 - own.width / 2;
    const left = Math.max(8, Math.min(middle, innerWidth - own.width - 8));
    const above = at.top - own.height - 8;
    tooltip.style.left = `${left}px`;
    tooltip.style.top = `${above < 8 ? at.bottom + 8 : above}px`;
  }

  function hush() {
    tooltip.hidden = true;
  }

  /** @param {EventTarget | null} target */
  function markAt(target) {
    const mark = target instanceof Element ? target.closest(told) : null;
    return mark instanceof SVGGraphicsElement ? mark : null;
  }

  document.addEventListener("pointerover", (event) => {
    const mark = markAt(event.target);
    if (mark === null) hush();
    else tell(mark);
  });
  document.addEventListener("focusin", (event) => {
    const mark = markAt(event.target);
    if (mark !== null) tell(mark);
  });
  document.addEventListener("focusout", hush);
  // Focus scrolls to its mark: what it tells goes with it.
  document.addEventListener(
    "scroll",
    () => {
      const mark = markAt(document.activeElement);
      if (mark === null) hush();
      else tell(mark);
    },
    { capture: true, passive: true },
  );
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
    const mark = markAt(event.target);
    const chart = mark?.closest("svg.chart");
    if (mark === null || !chart || event.altKey || event.ctrlKey || event.metaKey) return;
    const marks = marksOf.get(chart) ?? [];
    const index = marks.indexOf(mark);
    /** @type {Record<string, () => SVGGraphicsElement | undefined>} */
    const moves = {
      ArrowRight: () => marks[index + 1],
      ArrowLeft: () => marks[index - 1],
      ArrowDown: () => inNextRow(marks, mark, 1),
      ArrowUp: () => inNextRow(marks, mark, -1),
      Home: () => marks[0],
      End: () => marks.at(-1),
    };
    const move = Object.hasOwn(moves, event.key) ? moves[event.key] : undefined;
    if (move === undefined) return;
    event.preventDefault();
    const next = move();
    if (next === undefined) return;
    mark.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });

  // On paper nothing can be opened.
  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  addEventListener("beforeprint", () => {
    hush();
    opened = [...document.querySelectorAll("details")].filter(({ open }) => !open);
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
