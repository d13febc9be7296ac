import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import axe, { type AxeResults } from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const SWITCHES = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SCREENSHOTS = "test-output/web";
const DESK = { width: 1280, height: 860 };
/** The narrowest phone that people still carry. */
const PHONE = { width: 360, height: 780 };
/** Generous: an await that fails is a broken app, not a busy machine. */
const PATIENCE_MS = 30_000;

/** Why the browser tests can't run here; null when they can. */
export const noBrowser: string | null = existsSync(CHROMIUM) ? null : `no browser at ${CHROMIUM} (set CHROMIUM to one)`;

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });

/** Somebody at a browser of their own: a page, what it complained about, and looks at it from several sides. */
export class Visitor {
  /** Errors of the console, uncaught ones, and what the page's policy forbade. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open(browser: Browser, url: string): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: DESK,
      colorScheme: "dark",
      reducedMotion: "reduce",
      baseURL: url,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const visitor = new Visitor(context, page);
    page.on("pageerror", (error) => visitor.complaints.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      // A node that was killed refuses sockets until it is back; the browser says so by itself.
      const refused = message.text().startsWith("WebSocket connection to");
      if (message.type() === "error" && !refused) visitor.complaints.push(message.text());
    });
    page.on("dialog", (dialog) => {
      visitor.complaints.push(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    return visitor;
  }

  /** The button, with play money that has arrived. */
  async playAsDemoUser(): Promise<void> {
    await this.page.getByRole("button", { name: "Play as demo user" }).click();
    await this.page.getByTestId("balance").getByText("₹500", { exact: true }).waitFor();
  }

  text(testId: string): Promise<string> {
    return this.page.getByTestId(testId).innerText();
  }

  /** Resolves when the element says something else than `before`. */
  async changed(testId: string, before: string): Promise<string> {
    await this.page.waitForFunction(
      ([id, old]) => document.querySelector(`[data-testid="${id}"]`)?.textContent !== old,
      [testId, before] as const,
    );
    return this.text(testId);
  }

  /** From now on; answers each different text that the element has shown. */
  async collect(testId: string): Promise<() => Promise<string[]>> {
    const seen = await this.page.evaluateHandle((id) => {
      const texts = new Set<string>();
      const look = () => texts.add(document.querySelector(`[data-testid="${id}"]`)?.textContent ?? "");
      look();
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
      return texts;
    }, testId);
    return () => seen.evaluate((texts) => [...texts].filter((text) => text !== ""));
  }

  /**
   * The screen as it is, in both themes, on a desk and on a phone: keeps pictures, and answers what is wrong with it:
   * serious faults of accessibility, and what is wider than the phone.
   */
  async inspect(name: string): Promise<string[]> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    const faults: string[] = [];
    for (const [device, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
      await this.page.setViewportSize(viewport);
      for (const colorScheme of ["dark", "light"] as const) {
        await this.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        faults.push(...(await this.#accessibility()).map((fault) => `${name} (${device}, ${colorScheme}): ${fault}`));
        await this.page.screenshot({ path: join(SCREENSHOTS, `${name}-${device}-${colorScheme}.png`), fullPage: true });
      }
      const wider = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wider > 0) faults.push(`${name} (${device}): ${wider} px wider than the screen`);
    }
    await this.page.setViewportSize(DESK);
    return faults;
  }

  async #accessibility(): Promise<string[]> {
    // By evaluation, which a page's policy does not concern.
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: (root: Document) => Promise<AxeResults> } };
      const { violations } = await axe.run(document);
      return violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        where: nodes.map(({ html }) => html).slice(0, 3),
      }));
    });
    return found
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, where }) => `${id} at ${where.join(" and ")}`);
  }

  /** Presses Tab until something with this name has the focus, as somebody without a mouse would. */
  async tabTo(name: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    for (let presses = 0; presses < TABS_MAX; presses++) {
      const focused = await this.page.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return "";
        return (element.getAttribute("aria-label") ?? element.textContent ?? "").trim();
      });
      if (typeof name === "string" ? focused.startsWith(name) : name.test(focused)) return;
      await this.page.keyboard.press(key);
    }
    throw new Error(`nothing named ${name} was reached with ${TABS_MAX} tabs`);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

const TABS_MAX = 400;
