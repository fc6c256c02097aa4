import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { programFile } from "#test/tools.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Waits are for conditions; a loaded machine may take long. */
const PATIENCE_MS = 60_000;

/** A page of the console, and what must not have happened on it. */
export interface ConsolePage {
  page: Page;
  context: BrowserContext;
  /** Errors of scripts, dialogs, and what the Content-Security-Policy stopped. */
  troubles: string[];
  /** Requests to the API that may change something. */
  mutations: string[];
  visit(fragment: string): Promise<void>;
  close(): Promise<void>;
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = programFile("chromium");
  if (executablePath === undefined) throw new Error("Chromium is not on PATH");
  // Without a sandbox of its own, for tests run as root; it opens nothing but the stack's pages.
  return await chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A new tab at the sign-in. */
export async function openConsole(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: "en-US",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const troubles: string[] = [];
  const mutations: string[] = [];
  page.on("pageerror", (error) => troubles.push(`error: ${error.stack ?? error.message}`));
  page.on("dialog", (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) troubles.push(`policy: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() !== "GET" && pathname !== "/api/query")
      mutations.push(`${request.method()} ${pathname}`);
  });
  await page.goto(url);
  await page.waitForSelector("#console > *");
  return {
    page,
    context,
    troubles,
    mutations,
    async visit(fragment) {
      await page.goto(new URL(`/console${fragment}`, url).href);
      await page.locator("main h1").first().waitFor();
      await page.locator(".loading").first().waitFor({ state: "detached" });
    },
    close: () => context.close(),
  };
}

/** A tab that is signed in with the key. */
export async function signedIn(
  browser: Browser,
  url: string,
  key: string,
  options: BrowserContextOptions = {},
): Promise<ConsolePage> {
  const opened = await openConsole(browser, url, options);
  await opened.page.getByLabel(/API key|API 키/).fill(key);
  await opened.page.keyboard.press("Enter");
  await opened.page.locator(".menu").waitFor();
  return opened;
}

/** What axe finds serious or critical on the page as it stands. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    type Axe = {
      run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
    };
    return (await (globalThis as unknown as { axe: Axe }).axe.run()).violations;
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - window.innerWidth") as Promise<number>;
}
