// SPDX-License-Identifier: Apache-2.0
// Reports in a real browser, Debian's Chromium: that they load nothing and run nothing but their own,
// with the keyboard, in light, dark, a narrow window and print, whatever a description says.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LaunchInput } from "../../compiler/description/define-launch.js";
import type { DecodedImage } from "../../compiler/image/decode-image.js";
import { findProgram } from "../../setup/packages.js";
import { type Otherwise, simulated } from "../../simulator/simulated-bench.js";
import {
  busy,
  chain,
  hundredAndMore,
  one,
  recoverable,
  thirtyTwo,
  two,
} from "../example-launches.js";
import { reportOf } from "../model/report.js";
import { reportPage } from "./page.js";

const hostCode = {
  ...{ xenBytes: 2_800_000, bootDomainBytes: 33_000 },
  patches: { count: 28, lines: 2000 },
};

type Change = (image: DecodedImage) => DecodedImage;

async function pageOf(
  launch: LaunchInput,
  otherwise: Otherwise = {},
  { file = "launch.img", change = (image) => image }: { file?: string; change?: Change } = {},
): Promise<string> {
  const { image, receipt } = await simulated(launch, otherwise);
  const made = reportOf({
    ...{ imageFile: file, image: change(image), receipt, source: "receipt", hostCode },
  });
  if (!made.ok) throw new Error(made.problem);
  return reportPage(made.report);
}

const late: Otherwise = { behave: ["storage=signal@9ms", "database=silent"] };
const pages: Readonly<Record<string, () => Promise<string>>> = {
  one: () => pageOf(one),
  two: () => pageOf(two),
  "thirty-two": () => pageOf(thirtyTwo, busy),
  "a hundred and twenty-eight": () => pageOf(hundredAndMore),
  failed: () => pageOf(chain, { faults: ["populate:2=ENOMEM"] }),
  late: () => pageOf(chain, late),
  recovered: () => pageOf(recoverable, late),
};

let folder = "";
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-report-"));
  const executablePath = findProgram("chromium");
  if (executablePath === undefined) throw new Error("chromium is missing: run npm run build");
  browser = await chromium.launch({ executablePath });
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

/** Everything that a page did that it must not. */
interface Watched {
  readonly page: Page;
  readonly requests: string[];
  readonly complaints: string[];
}

async function opened(text: string, how: BrowserContextOptions = {}): Promise<Watched> {
  const path = join(folder, "report.html");
  await writeFile(path, text);
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...how });
  const page = await context.newPage();
  const [requests, complaints]: [string[], string[]] = [[], []];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(pathToFileURL(path).href);
  return { page, requests: requests.filter((url) => !url.endsWith("/report.html")), complaints };
}

/** The tooltip's text, empty while it is hidden. */
function told(page: Page): Promise<string> {
  return page.evaluate(() => {
    const tooltip = document.querySelector<HTMLElement>(".tooltip");
    return tooltip === null || tooltip.hidden
      ? ""
      : [...tooltip.children].map(({ textContent }) => textContent).join("\n");
  });
}

/** How many elements there are of kinds that a description could want to add. */
function structureOf(page: Page): Promise<number[]> {
  return page.evaluate(() =>
    ["script", "style", "img", "b", "section", "svg", "svg.chart", "iframe"].map(
      (kind) => document.querySelectorAll(kind).length,
    ),
  );
}

function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
}

describe.each(Object.entries(pages))("the report of a launch: %s", (name, make) => {
  let text = "";
  beforeAll(async () => {
    text = await make();
  });

  test("loads nothing, and its policy keeps nothing of its own out", async () => {
    const { page, requests, complaints } = await opened(text);
    expect(await page.title()).toBe("launch.img: launch report");
    expect(await page.locator(".tooltip").count()).toBe(1);
    expect(await page.evaluate(() => getComputedStyle(document.body).margin)).toBe("0px");
    expect(requests).toEqual([]);
    expect(complaints).toEqual([]);
    const inline = await page.evaluate(() =>
      [...document.querySelectorAll("*")].flatMap((element) =>
        element.getAttributeNames().filter((attribute) => /^on|^style$/.test(attribute)),
      ),
    );
    expect(inline).toEqual([]);
    await page.context().close();
  });

  // Others have no other parts, and charts of many rows take axe minutes.
  const examined = ["one", "thirty-two", "recovered"].includes(name);
  const themes = examined ? (["light", "dark"] as const) : [];
  test.each(themes)("has no fault that axe finds, %s", async (colorScheme) => {
    const { page } = await opened(text, { colorScheme });
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    await page.evaluate(await readFile(axe, "utf8"));
    const found = await page.evaluate("axe.run()");
    const { violations } = found as { violations: { id: string; nodes: { html: string }[] }[] };
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    await page.context().close();
  });

  test("fits a narrow window", async () => {
    const { page } = await opened(text, { viewport: { width: 360, height: 700 } });
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(beyond).toBeLessThanOrEqual(0);
    await page.context().close();
  });

  test("fits paper, with all that can be opened open", async () => {
    const { page } = await opened(text, {
      colorScheme: "dark",
      viewport: { width: 700, height: 900 },
    });
    const closed = () => page.locator("details:not([open])").count();
    const before = await closed();
    expect(before).toBeGreaterThan(0);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.emulateMedia({ media: "print" });
    expect(await closed()).toBe(0);
    expect(await page.locator("nav").isVisible()).toBe(false);
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("svg.chart, table")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .map((element) => element.getAttribute("aria-label") ?? element.textContent?.slice(0, 80)),
    );
    expect(wide).toEqual([]);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe("rgb(255, 255, 255)");
    await page.emulateMedia({ media: null });
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    expect(await closed()).toBe(before);
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    const sheets = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    const most = name === "a hundred and twenty-eight" ? 60 : 16;
    expect(sheets).toBeGreaterThan(2);
    expect(sheets).toBeLessThanOrEqual(most);
    await page.context().close();
  });
});

describe("a report", () => {
  test("tells by pointer and by keyboard what a mark is, and hides it again", async () => {
    const { page } = await opened(await pageOf(chain, late));
    const chart = page.locator("#timeline svg.chart").first();
    const first = chart.locator('[tabindex="0"]');
    await first.focus();
    expect(await focused(page)).toContain("boot domain accepts the plan");
    expect((await told(page)).split("\n")[0]).toBe("boot domain accepts the plan");
    const visible = await first.evaluate((mark) => getComputedStyle(mark).outlineStyle);
    expect(visible).toBe("solid");
    await page.keyboard.press("ArrowRight");
    expect(await focused(page)).toContain("boot domain makes storage");
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toContain("boot domain makes storage");
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowRight");
    const last = await focused(page);
    expect(last).toContain("web");
    await page.keyboard.press("ArrowUp");
    expect(await focused(page)).toContain("database");
    await page.keyboard.press("Home");
    expect(await focused(page)).toContain("accepts the plan");
    await page.keyboard.press("Escape");
    expect(await told(page)).toBe("");
    await chart.locator('[aria-label*="database is not ready"]').hover();
    expect((await told(page)).split("\n")[0]).toBe("database is not ready");
    await page.mouse.move(0, 0);
    expect(await told(page)).toBe("");
    await page.context().close();
  });

  test("is walked through by Tab: a mark of each chart, links, what can be opened", async () => {
    const { page } = await opened(await pageOf(chain, late));
    const stops: string[] = [];
    for (let presses = 0; presses < 200; presses++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return "";
        const chart = element.closest("svg.chart")?.getAttribute("aria-label");
        return chart == null ? element.tagName.toLowerCase() : `chart ${chart}`;
      });
      if (stop === "" || (stops.length > 0 && stop === stops[0] && stops.length > 20)) break;
      stops.push(stop);
    }
    const charts = stops.filter((stop) => stop.startsWith("chart "));
    expect(charts).toHaveLength(await page.locator("svg.chart").count());
    expect(new Set(charts).size).toBe(charts.length);
    expect(stops.filter((stop) => stop === "summary")).toHaveLength(
      await page.locator("summary").count(),
    );
    await page.context().close();
  });

  test("says all without its script, in tables", async () => {
    const { page } = await opened(await pageOf(chain, late), { javaScriptEnabled: false });
    await page.locator("summary", { hasText: "All of it as a table" }).click();
    const rows = page.locator("#timeline details tr", { hasText: "waits for database" });
    expect(await rows.count()).toBe(1);
    await page.context().close();
  });

  test("runs no script of a description, and keeps to its own structure", async () => {
    const hostile = [
      "</style><script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      `"' onfocus='alert(1)' x="`,
    ];
    const cmdline = `--></script><svg onload=alert(1)>&lt;"'\`\${alert(1)}`;
    const plain = await pageOf(chain, late);
    const text = await pageOf(
      {
        ...chain,
        domains: Object.fromEntries(
          Object.entries(chain.domains).map(([key, domain]) => [key, { ...domain, cmdline }]),
        ),
      },
      late,
      {
        file: '"><img src=x onerror=alert(1)>\u202e.img',
        change: (image) => ({
          ...image,
          plan: {
            ...image.plan,
            domains: image.plan.domains.map((domain, index) => ({
              ...domain,
              ...{ name: hostile[index] ?? "", label: `<b onclick=alert(1)>${index}` },
            })),
          },
        }),
      },
    );
    const { page, requests, complaints } = await opened(text);
    for (const mark of await page.locator("svg.chart [tabindex]").all()) await mark.focus();
    expect(requests).toEqual([]);
    expect(complaints).toEqual([]);
    const shown = await page.locator("#domains tbody tr").allInnerTexts();
    expect(shown.map((row) => row.includes(cmdline))).toEqual([true, true, true]);
    for (const [index, name] of hostile.entries()) expect(shown[index]).toContain(name);
    expect(await page.locator("h1").textContent()).toBe('"><img src=x onerror=alert(1)>\ufffd.img');
    const found = await structureOf(page);
    await page.context().close();
    const other = await opened(plain);
    expect(found).toEqual(await structureOf(other.page));
    await other.page.context().close();
  });

  test("is the same, byte for byte, whenever it is drawn", async () => {
    expect(await pageOf(thirtyTwo, busy)).toBe(await pageOf(thirtyTwo, busy));
  });
});
