import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Browser } from "playwright-core";
import { create } from "tar";
import { afterAll, beforeAll, expect, describe as skipped, vi } from "vitest";
import type { AlertList } from "#schemas/http/alerts.ts";
import type { DeadLetterQueues, FailureGroups, FailureList } from "#schemas/http/dead-letters.ts";
import type { ReplayView } from "#schemas/http/replays.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import { webhookReceiver } from "#test/fakes/webhook-receiver.ts";
import { needing } from "#test/needing.ts";
import { isHere } from "#test/tools.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient, environmentOf, tenantClient } from "../e2e/client.ts";
import { declaredRoutes } from "../e2e/routes.ts";
import {
  type ConsolePage,
  launchBrowser,
  openConsole,
  overflow,
  seriousFindings,
  signedIn,
} from "./browser.ts";

const HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';
/** As the sentence about an unknown field begins with it. */
const QUOTED = JSON.stringify(HOSTILE).slice(0, 25);
/** With eight whose source is missing, the failures are 300 of three kinds. */
const [WRONG, UNREADABLE] = [140, 152];
/** The pages of failures need the routes below /api/dlq. */
const has_redrive = declaredRoutes().some(({ key }) => key === "GET /api/dlq/failures");
const PAGES = [
  "overview",
  "tasks",
  "submit",
  "search?q=range&repository=date-range",
  ...(has_redrive ? ["failures", "replays"] : []),
  "alerts",
  "alerts/dlq-not-empty",
  "circuits",
  "policies",
  "keys",
  "webhooks",
  "audit",
];
const PATIENCE = { timeout: 60_000 };

const { describe, it } = await needing("Chromium");
const has_chromium = await isHere("Chromium");
const scratch = mkdtempSync(join(tmpdir(), "console-test-"));
const configs = join(scratch, "configs");

let stack: Stack;
let api: ApiClient;
let browser: Browser;
let console_page: ConsolePage;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
let fixed: TaskView;
let broken: TaskView;
let hostile: TaskView;

/** The example of the README, read from the repository. */
function exampleFiles(): Record<string, string> {
  const entries = readdirSync("examples/date-range", { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative("examples/date-range", join(entry.parentPath, entry.name)));
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join("examples/date-range", name), "utf8")]),
  );
}

const change = (patch: string) => ({
  workflow: "change",
  repository: "date-range",
  source: { kind: "inline", files: exampleFiles() },
  change: { kind: "patch", diff: readFileSync(join("examples", patch), "utf8") },
  test: "node --test --test-reporter=tap",
});

const run = (command: string, files: Record<string, string> = { "a.txt": "a" }) => ({
  workflow: "run",
  repository: "runs",
  source: { kind: "inline", files },
  command,
});

beforeAll(async () => {
  if (!has_chromium) return;
  cpSync("configs", configs, { recursive: true });
  stack = await startStack({ env: { CONFIG_DIRECTORY: configs } });
  api = developmentClient(stack.url, stack.data_dir);
  receiver = await webhookReceiver();
  await api.request("POST", "/api/webhooks", { name: HOSTILE, url: receiver.url });
  await api.request("POST", "/api/keys", { name: HOSTILE, scopes: ["read"] });
  const hostile_run = run(
    `mkdir -p ~/artifacts; printf '%s\\n' '${HOSTILE}' | tee ~/artifacts/page.html; exit 3`,
    {
      "<img src=x onerror=alert(1)>.txt": HOSTILE,
    },
  );
  const submitted = [change("fix.patch"), change("first-try.patch"), hostile_run].map((body) =>
    api.submit(body),
  );
  const [first, second, third] = await Promise.all(submitted);
  fixed = await api.ended(first!.task_id);
  broken = await api.ended(second!.task_id);
  hostile = await api.ended(third!.task_id);
  browser = await launchBrowser();
  console_page = await signedIn(browser, stack.url, api.key);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await receiver?.close();
  if (stack) rmSync(stack.data_dir, { recursive: true, force: true });
  rmSync(scratch, { recursive: true, force: true });
});

describe("signing in", () => {
  it("is where / leads, and refuses what is no key of this stage", async () => {
    const { page, close, troubles } = await openConsole(browser, stack.url);
    expect(page.url()).toBe(`${stack.url}/console`);
    for (const wrong of ["nonsense", `${api.key.slice(0, -1)}x`, "한글 키"]) {
      await page.getByLabel("API key").fill(wrong);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").getByText("The key was refused.").waitFor();
    }
    expect(troubles).toEqual([]);
    await close();
  });

  it("keeps the key in this tab only, and forgets it when signed out", async () => {
    const { page, close, context, visit } = await signedIn(browser, stack.url, api.key);
    const stored = () => page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])");
    expect(await page.evaluate("sessionStorage.getItem('console.key')")).toBe(api.key);
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain(api.key);
    await visit("#/tasks");
    await page.reload();
    await page.getByRole("grid").waitFor();
    const other_tab = await context.newPage();
    await other_tab.goto(stack.url);
    await other_tab.getByLabel("API key").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    expect(await stored()).not.toContain(api.key);
    expect(page.url()).not.toContain(api.key);
    await close();
  });
});

describe("tasks", () => {
  it("are listed with their states, and filtered by the address", async () => {
    const { page, visit } = console_page;
    await visit("#/tasks");
    const row = (task: TaskView) => page.getByRole("row").filter({ hasText: task.task_id });
    expect(await row(fixed).innerText()).toContain("succeeded");
    expect(await row(broken).innerText()).toContain("TESTS_FAILED");
    await visit(`#/tasks?status=failed&text=${broken.task_id}`);
    await row(broken).waitFor();
    expect(await row(fixed).count()).toBe(0);
    expect(await row(hostile).count()).toBe(0);
    expect(await page.getByLabel("Status").inputValue()).toBe("failed");
    await page.getByLabel("Status").selectOption("succeeded");
    await page.getByText("No task matches the filter.").waitFor();
    expect(page.url()).toContain("status=succeeded");
  });

  it("are reached by the keyboard alone", async () => {
    const { page, visit } = console_page;
    await visit("#/tasks?status=failed");
    await page.getByRole("grid").focus();
    const second = await page.getByRole("row").nth(2).locator("code").first().innerText();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/console#/tasks/${second}`);
  });

  it("are windowed: of 10,000 only those in view are in the page, and the last is reached", async () => {
    const { page, visit, close } = await signedIn(browser, stack.url, api.key);
    const { tasks } = (await api.request<{ tasks: TaskView[] }>("GET", "/api/tasks?limit=1")).body;
    const made = (index: number) => ({
      ...tasks[0],
      task_id: `task_${String(index).padStart(26, "0")}`,
      created_at: new Date(Date.now() - index * 1000).toISOString(),
    });
    await page.route("**/api/tasks?*", async (route) => {
      const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
      const rows = Array.from({ length: 100 }, (_, index) => made(from + index));
      const next_cursor = from + 100 < 10_000 ? String(from + 100) : null;
      await route.fulfill({ json: { tasks: rows, next_cursor } });
    });
    await visit("#/tasks");
    const grid = page.getByRole("grid");
    await grid.focus();
    const last = page.getByText("task_00000000000000000000009999");
    while (!(await last.isVisible())) {
      await page.keyboard.press("End");
      await page.waitForFunction("document.querySelectorAll('.virtual-row').length > 0");
      expect(await page.locator(".virtual-row").count()).toBeLessThan(80);
    }
    expect(await grid.getAttribute("aria-rowcount")).toBe("10001");
    await page.keyboard.press("Home");
    await page.getByText("task_00000000000000000000000000").waitFor();
    await close();
  });

  it("are submitted in the browser, followed to their end without a reload, and canceled", async () => {
    const { page, visit } = console_page;
    const folder = join(scratch, "source");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "hello.sh"), "sleep 2; echo hello from the console");
    await visit("#/submit");
    await page.getByLabel("Workflow").fill("run");
    await page.getByLabel("Files from this computer").check();
    await page.getByLabel("Folder").setInputFiles(folder);
    await page.getByText("1 files").waitFor();
    await page.getByLabel("Command", { exact: true }).fill("sh hello.sh");
    await page.getByLabel("Sandbox profile").fill("trusted");
    await page.getByRole("button", { name: "Submit a task" }).click();
    await page.waitForURL("**/console#/tasks/task_*");
    await page.locator(".headline").getByText("succeeded").waitFor(PATIENCE);
    await page.getByRole("link", { name: "Logs" }).click();
    await page.getByText("hello from the console").waitFor();

    const { task_id } = await api.submit(run("sleep 100"));
    await visit(`#/tasks/${task_id}`);
    await page.getByRole("button", { name: "Cancel the task" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel the task" }).click();
    await page.locator(".headline").getByText("canceled").waitFor(PATIENCE);
    expect((await api.ended(task_id)).status).toBe("canceled");
  });

  it("are submitted as an archive, with a patch that was pasted", async () => {
    const { page, visit, troubles } = console_page;
    const archive = join(scratch, "date-range.tar.gz");
    await create({ file: archive, gzip: true, cwd: "examples/date-range" }, ["."]);
    const not_archive = join(scratch, "not.tar.gz");
    writeFileSync(not_archive, "words");
    await visit("#/submit");
    await page.getByLabel("Archive (.tar.gz)").check();
    await page.getByLabel("Archive file").setInputFiles(not_archive);
    await page.getByLabel("Patch").last().fill(readFileSync("examples/fix.patch", "utf8"));
    await page.getByLabel("Test", { exact: true }).fill("node --test --test-reporter=tap");
    await page.getByLabel("Repository").fill("date-range-archive");
    await page.getByLabel("Sandbox profile").fill("trusted");
    const send = () => page.getByRole("button", { name: "Submit a task" }).click();
    await send();
    await page.getByRole("alert").getByText("NOT_AN_ARCHIVE").waitFor();
    await page.getByLabel("Archive file").setInputFiles(archive);
    await send();
    await page.waitForURL("**/console#/tasks/task_*");
    await page.locator(".headline").getByText("succeeded").waitFor({ timeout: 180_000 });
    const task_id = page.url().split("/").at(-1)!;
    const diff = await api.artifact(task_id, "codegen/diff.patch");
    expect(diff.toString()).toBe((await api.artifact(fixed.task_id, "codegen/diff.patch")).toString());
    expect(troubles).toEqual([]);
  });

  it("tell what the API refused of a submission", async () => {
    const { page, visit } = console_page;
    await visit("#/submit");
    await page.getByLabel("Workflow").fill("no-such-workflow");
    await page.getByLabel("Git URL").last().fill("https://example.org/x.git");
    await page.getByLabel("Test", { exact: true }).fill("true");
    await page.getByRole("button", { name: "Submit a task" }).click();
    await page.getByRole("alert").getByText("WORKFLOW_UNKNOWN").waitFor();
  });
});

describe("one task", () => {
  it("shows steps, diff, test results, logs and trace as they are", async () => {
    const { page, visit } = console_page;
    await visit(`#/tasks/${fixed.task_id}`);
    const steps = await page.locator(".step strong").allInnerTexts();
    expect(steps).toEqual(fixed.steps.map(({ step }) => step));
    await visit(`#/tasks/${fixed.task_id}/diff`);
    const diff = (await api.artifact(fixed.task_id, "codegen/diff.patch")).toString();
    const of = (sign: string) =>
      diff.split("\n").filter((line) => line.startsWith(sign) && !line.startsWith(sign.repeat(3)));
    expect(await page.locator(".line.added").count()).toBe(of("+").length);
    expect(await page.locator(".line.removed").count()).toBe(of("-").length);
    await visit(`#/tasks/${broken.task_id}/tests`);
    const report = JSON.parse((await api.artifact(broken.task_id, "build-test/report.json")).toString());
    const figures = await page.locator(".figures li").allInnerTexts();
    expect(figures.map((text) => Number.parseInt(text, 10))).toEqual([
      report.tests_passed,
      report.tests_failed,
      report.tests_skipped,
    ]);
    expect(await page.locator(".tests li").first().innerText()).toContain("failed");
    await visit(`#/tasks/${broken.task_id}/logs?file=build-test/test.log`);
    await page.getByRole("region", { name: "build-test/test.log" }).getByText("not ok").first().waitFor();
    await visit(`#/tasks/${fixed.task_id}/trace`);
    expect(await page.locator(".waterfall li").count()).toBeGreaterThan(10);
    await page.locator(".span").first().click();
    await page.getByText("Span id").waitFor();
  });

  it("opens an artifact in a tab of its own without a key", async () => {
    const { page, context, visit } = console_page;
    await visit(`#/tasks/${fixed.task_id}/artifacts`);
    const row = page.getByRole("row").filter({ hasText: "build-test/test.log" }).first();
    const [tab] = await Promise.all([
      context.waitForEvent("page"),
      row.getByText("Open in a new tab").click(),
    ]);
    await tab.getByText("TAP version").first().waitFor();
    expect(await tab.evaluate("window.opener")).toBeNull();
    await tab.close();
    await visit(`#/tasks/${fixed.task_id}/artifacts?file=build-test/summary.json`);
    const [second] = await Promise.all([
      context.waitForEvent("page"),
      page.getByRole("button", { name: "Open in a new tab" }).click(),
    ]);
    await second.getByText("tests_passed").first().waitFor();
    await second.close();
  });

  it("that is not there says so", async () => {
    const { page, visit } = console_page;
    await page.goto(`${stack.url}/console#/tasks/task_${"0".repeat(26)}`);
    await page.getByRole("alert").getByText("TASK_NOT_FOUND").waitFor();
    await visit("#/no-such-page");
    await page.getByText("There is no such page").first().waitFor();
  });
});

describe("an administrator", () => {
  it("makes a key, replaces and ends it, and finds it all in the audit trail", async () => {
    const { page, visit } = console_page;
    await visit("#/keys");
    await page.getByRole("button", { name: "Make a key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("made in the browser");
    await dialog.getByRole("button", { name: "Make a key" }).click();
    const secret = page.locator(".secret code");
    const key = await secret.innerText();
    const works = async () =>
      (await fetch(`${stack.url}/api/tasks`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await works()).toBe(200);
    await page.getByRole("button", { name: "I have copied it" }).click();
    expect(await page.content()).not.toContain(key);
    const row = page.getByRole("row").filter({ hasText: "made in the browser" });
    await row.getByRole("button", { name: "Revoke" }).click();
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await row.getByText("revoked").waitFor();
    await expect.poll(works, PATIENCE).toBe(401);
    const key_id = key.split("_")[1] ?? "";
    await visit(`#/audit?target=${key_id}`);
    await page.getByText("key.revoke").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(2);
  });

  it("sees a refused configuration with its reason, and the one that stays", async () => {
    const { page, visit } = console_page;
    writeFileSync(join(configs, "retry_policy.json"), '{ "version": "none" }');
    await visit("#/policies");
    const card = page.locator(".card").filter({ hasText: "retry_policy.json" });
    await card.getByText("Refused; the version before stays in force.").waitFor(PATIENCE);
    await card.getByText(/Last refused change/).waitFor(PATIENCE);
    cpSync("configs/retry_policy.json", join(configs, "retry_policy.json"));
    await card.locator(".state.good").waitFor(PATIENCE);
  });

  it("makes a webhook, and sends a delivery again", async () => {
    const { page, visit } = console_page;
    await visit("#/webhooks?state=delivered");
    const before = receiver.received.length;
    expect(before).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Send again" }).first().click();
    await expect.poll(() => receiver.received.length, PATIENCE).toBeGreaterThan(before);
    await page.getByRole("button", { name: "Make a webhook" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("second");
    await dialog.getByLabel("URL").fill(receiver.url);
    await dialog.getByRole("button", { name: "Make a webhook" }).click();
    expect(await page.locator(".secret code").innerText()).toMatch(/^whsec_/);
  });

  it("commands a circuit, with a reason", async () => {
    const { page, visit } = console_page;
    await visit("#/circuits");
    const card = page.locator("li.card").first();
    const key = await card.locator("h2").innerText();
    await card.getByRole("button", { name: "Force open" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("maintenance of the dependency");
    await dialog.getByLabel("For how many minutes").fill("5");
    await dialog.getByRole("button", { name: "Force open" }).click();
    const same = page.locator("li.card").filter({ hasText: key });
    await same.getByText("maintenance of the dependency").first().waitFor();
    await visit("#/overview");
    await page.locator(".card").getByText(key).waitFor();
    await visit("#/circuits?state=open");
    await same.getByRole("button", { name: "Reset" }).click();
    await dialog.getByLabel("Reason").fill("done");
    await dialog.getByRole("button", { name: "Reset" }).click();
    await page.getByText("Nothing matches the filter.").waitFor();
  });

  it("searches the indexed code", async () => {
    const { page, visit } = console_page;
    await visit("#/search?q=working+day&repository=date-range");
    await page.locator(".results li").first().waitFor(PATIENCE);
    expect(await page.locator(".results").innerText()).toContain("src/");
    await visit("#/search?q=anything&repository=no-such-repository");
    await page.getByText("Nothing is indexed under the name no-such-repository.").waitFor();
  });
});

describe("a key with scope read", () => {
  it("sees the pages of its scope, gets no button that acts, and changes nothing", async () => {
    const reader = await tenantClient(stack.url, stack.data_dir, "local", { scopes: ["read"] });
    const { page, visit, mutations, close } = await signedIn(browser, stack.url, reader.key);
    const menu = await page.locator(".menu nav a").allInnerTexts();
    expect(menu).toContain("Circuits");
    for (const hidden of ["Submit a task", "Policies", "API keys", "Audit trail"])
      expect(menu).not.toContain(hidden);
    const { task_id } = await api.submit(run("sleep 100"));
    const acts =
      /cancel the|submit a|force|reset|send again|make a|delete|new secret|rotate|revoke|replay|discard|pause|abort/i;
    for (const fragment of [...PAGES, `tasks/${task_id}`, `tasks/${fixed.task_id}/artifacts`]) {
      await visit(`#/${fragment}`);
      const buttons = await page.locator("main button, main a.button").allInnerTexts();
      expect([fragment, buttons.filter((text) => acts.test(text))]).toEqual([fragment, []]);
    }
    await visit("#/keys");
    await page.getByText("This needs a key with scope admin.").waitFor();
    expect(mutations).toEqual([]);
    await api.request("POST", `/api/tasks/${task_id}/cancel`);
    await close();
  });
});

describe("hostile data", () => {
  it("is shown as it is and never runs, in payloads, errors, file names, logs and names", async () => {
    const { page, visit, troubles } = console_page;
    await visit(`#/tasks/${hostile.task_id}/logs`);
    await page.locator(".lines").getByText(HOSTILE).first().waitFor();
    await visit(`#/tasks/${hostile.task_id}/artifacts`);
    const html = page.locator(".artifacts a").filter({ hasText: "page.html" });
    if ((await html.count()) > 0) await html.first().click();
    await visit(`#/tasks?text=${encodeURIComponent(HOSTILE)}`);
    expect(await page.getByLabel("Find in the loaded tasks").inputValue()).toBe(HOSTILE);
    for (const fragment of ["#/keys", "#/webhooks", `#/search?q=${encodeURIComponent(HOSTILE)}`])
      await visit(fragment);
    await visit("#/keys");
    await page.getByText(HOSTILE).first().waitFor();
    await page.route("**/api/tasks/*", async (route) => {
      const view = {
        ...hostile,
        error: { code: "COMMAND_FAILED", message: HOSTILE, step: "run" },
        notices: [HOSTILE],
      };
      await route.fulfill({ json: view });
    });
    await visit(`#/tasks/${hostile.task_id}`);
    expect(await page.getByText(HOSTILE).count()).toBeGreaterThan(1);
    await page.unroute("**/api/tasks/*");
    expect(await page.evaluate("window.ran")).toBeUndefined();
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(troubles).toEqual([]);
  });

  it("could not run if it were in the page: the policy of the page stops it", async () => {
    const { page, close, troubles } = await signedIn(browser, stack.url, api.key);
    await page.evaluate(`try { document.body.insertAdjacentHTML("beforeend", '${HOSTILE}') } catch {}`);
    await page.evaluate(
      `{ const script = document.createElement("a"); try { script.setAttribute("onclick", "window.ran=1") } catch {}; document.body.append(script); script.click() }`,
    );
    expect(await page.evaluate("window.ran")).toBeUndefined();
    expect(troubles.length).toBeGreaterThan(0);
    const { headers } = await fetch(`${stack.url}/console`);
    expect(headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(headers.get("content-security-policy")).not.toContain("unsafe");
    await close();
  });
});

(has_redrive ? describe : skipped.skip)("an operator of what failed", () => {
  type Filler = ReturnType<typeof import("./failing-tasks.ts")["failingTasks"]>;
  let filler: Filler;
  let acme: ApiClient;
  let mend: (() => Promise<void>)[];
  const got = async <Body>(path: string) => (await api.request<Body>("GET", path)).body;
  const groups = async () => (await got<FailureGroups>("/api/dlq/groups")).groups;
  const groupOf = async (code: string) => (await groups()).find((group) => group.code === code)!;
  const start = async (page: ConsolePage["page"], name: RegExp) => {
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/open failures match/).waitFor();
    await dialog.getByRole("button", { name }).click();
    await page.waitForURL("**/console#/replays/replay_*");
    return page.url().split("/").at(-1)!;
  };

  beforeAll(async () => {
    if (!has_chromium) return;
    Object.assign(process.env, environmentOf(stack.data_dir));
    filler = (await import("./failing-tasks.ts")).failingTasks();
    acme = await tenantClient(stack.url, stack.data_dir, "acme");
    const ours = await filler.withoutSource(api, "local", 5);
    const theirs = await filler.withoutSource(acme, "acme", 3);
    await filler.withWrongInput(ours.tasks[0]!, WRONG, { [HOSTILE]: HOSTILE });
    await filler.unreadable(UNREADABLE);
    mend = [ours.mend, theirs.mend];
    const wanted = [8, WRONG, UNREADABLE].join();
    const counts = async () => (await groups()).map(({ count }) => count).toSorted((a, b) => a - b);
    await vi.waitUntil(async () => (await counts()).join() === wanted, { timeout: 500_000, interval: 1000 });
  });

  it("sees as many as there are, by queue and by kind, and hostile text as text", async () => {
    const { page, visit, troubles } = console_page;
    await visit("#/failures");
    const { queues } = await got<DeadLetterQueues>("/api/dlq/queues");
    const buildtest = queues.find(({ queue }) => queue === "buildtest")!;
    expect([buildtest.depth, buildtest.messages]).toEqual([300, 300]);
    const card = page.locator(".queues .card").filter({ hasText: "buildtest" });
    expect(await card.locator(".depth").innerText()).toBe("300");
    const shown = await page.locator(".groups tbody tr td:first-child").allInnerTexts();
    expect(shown).toEqual((await groups()).map(({ count }) => String(count)));
    await page.locator(".groups").getByText(QUOTED).first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it("is led from an alert to its runbook, and silences it", async () => {
    const { page, visit } = console_page;
    await visit("#/alerts");
    const alert = page
      .locator(".card")
      .filter({ hasText: "service=buildtest" })
      .filter({ hasText: "dlq_not_empty" });
    await alert.getByText("fires").waitFor({ timeout: 180_000 });
    const listed = await got<AlertList>("/api/alerts");
    expect(await page.locator("main .cards").first().locator("> .card").count()).toBe(listed.alerts.length);
    expect(await seriousFindings(page)).toEqual([]);
    await alert.getByRole("link", { name: "dlq-not-empty" }).click();
    await page.getByRole("heading", { name: "A DLQ is not empty" }).waitFor();
    await page.getByText("agents dlq groups", { exact: true }).first().waitFor();
    await visit("#/alerts");
    await alert.getByRole("button", { name: "Silence" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("For how long, in minutes").fill("90");
    await dialog.getByLabel("Reason").fill(HOSTILE);
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Silence" }).click();
    await alert.getByText("silenced").waitFor();
    const { silences } = await got<AlertList>("/api/alerts");
    expect(silences).toMatchObject([
      { rule: "dlq_not_empty", labels: { service: "buildtest" }, why: HOSTILE },
    ]);
    expect(Date.parse(silences[0]!.until) - Date.now()).toBeGreaterThan(80 * 60_000);
    await page.getByText(HOSTILE).waitFor();
    expect(await page.evaluate("window.ran")).toBeUndefined();
  });

  it("finds a kind by its fingerprint, mends the cause, replays it at a rate and watches it finish", async () => {
    const { page, visit } = console_page;
    const { fingerprint } = await groupOf("BLOB_MISSING");
    await visit(`#/failures?fingerprint=${fingerprint}`);
    await page.getByText("8 failures", { exact: true }).waitFor();
    for (const each of mend) await each();
    await page.getByRole("button", { name: "Replay all that match…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("8 open failures match.").waitFor();
    await dialog.getByText("the work runs again").first().waitFor();
    await dialog.getByText("Speed, and when to pause").click();
    await dialog.getByLabel("Messages a second, at most").fill("5");
    const replay_id = await start(page, /Replay 8 messages/);
    await page.locator(".headline").getByText("completed").waitFor({ timeout: 180_000 });
    const job = await got<ReplayView>(`/api/dlq/replays/${replay_id}`);
    expect(job).toMatchObject({ state: "completed", rate_per_second: 5, counts: { total: 8, succeeded: 8 } });
    expect((await page.locator(".legend").innerText()).trim()).toMatch(/^8\s*succeeded$/);
    expect(await seriousFindings(page)).toEqual([]);
    expect(await groupOf("BLOB_MISSING")).toBeUndefined();
  });

  it("edits one, after a check that shows the difference", async () => {
    const { page, visit } = console_page;
    const { example } = await groupOf("PAYLOAD_INVALID");
    await visit(`#/failures/${example}`);
    await page.locator(".notice").getByText(QUOTED).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Edit and replay…" }).click();
    const dialog = page.getByRole("dialog");
    const input = dialog.getByLabel("Input, as JSON");
    await dialog.getByLabel("Reason").fill("an input that no agent takes");
    await input.fill("{");
    await dialog.getByRole("button", { name: "Check" }).click();
    await dialog.getByRole("alert").getByText("NOT_JSON").waitFor();
    const { envelope } = await got<{ envelope: { payload: Record<string, unknown> } }>(
      `/api/dlq/failures/${example}`,
    );
    const { [HOSTILE]: _, ...payload } = envelope.payload;
    await input.fill(JSON.stringify(payload));
    await dialog.getByRole("button", { name: "Check" }).click();
    await dialog.locator(".line.removed").first().waitFor();
    await dialog.getByRole("button", { name: "Send the edited message" }).click();
    await page.locator(".headline").getByText("replayed").waitFor(PATIENCE);
    expect((await groupOf("PAYLOAD_INVALID")).count).toBe(WRONG - 1);
  });

  it("discards one, with a reason", async () => {
    const { page, visit } = console_page;
    const { example } = await groupOf("PAYLOAD_INVALID");
    await visit(`#/failures/${example}`);
    await page.getByRole("button", { name: "Discard…" }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("made by a test");
    await start(page, /Discard 1 messages/);
    await page.locator(".headline").getByText("completed").waitFor({ timeout: 180_000 });
    await visit(`#/failures/${example}`);
    await page.getByText("made by a test").waitFor();
    await visit("#/failures?state=discarded");
    await page.getByText("1 failures", { exact: true }).waitFor();
  });

  it("pauses, resumes and aborts a job, and what it left is still there", async () => {
    const { page, visit } = console_page;
    await visit("#/failures");
    await page.getByRole("button", { name: "Replay all…" }).click();
    await page.getByRole("dialog").getByText("Speed, and when to pause").click();
    await page.getByLabel("Messages a second, at most").fill("0.1");
    await page.getByLabel("In work at the same time, at most").fill("1");
    await page.getByLabel(/Pause when this share/).fill("0");
    const replay_id = await start(page, /Replay \d+ messages/);
    const { counts } = await got<ReplayView>(`/api/dlq/replays/${replay_id}`);
    expect([0, 300 - 8 - 2]).toContain(counts.total); // 0 until it has written down which
    const order = async (name: string, state: string) => {
      await page.getByRole("button", { name, exact: true }).first().click();
      await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
      await page.locator(".headline .state").getByText(state).waitFor(PATIENCE);
    };
    await order("Pause", "paused");
    await order("Resume", "running");
    await order("Abort", "aborted");
    expect((await got<ReplayView>(`/api/dlq/replays/${replay_id}`)).state).toBe("aborted");
    const { failures } = await got<FailureList>("/api/dlq/failures");
    expect(failures.length).toBeGreaterThan(0);
    await visit("#/replays");
    expect(await page.locator(".cards .card").count()).toBe(3);
    expect(await seriousFindings(page)).toEqual([]);
  });

  it("of another tenant sees nothing of it, and a reader cannot act", async () => {
    const other = await signedIn(browser, stack.url, acme.key);
    await other.visit("#/failures");
    await other.page.getByText("No failure matches. Nothing waits for you here.").waitFor();
    await other.close();
    const reader = await tenantClient(stack.url, stack.data_dir, "local", { scopes: ["read"] });
    const { page, visit, close, mutations } = await signedIn(browser, stack.url, reader.key);
    await visit("#/failures");
    await page
      .getByText(/[1-9]\d* (failures|shown)/)
      .first()
      .waitFor();
    await page.locator(".failures a").first().click();
    await page.getByText("Timeline").waitFor();
    expect(
      await page
        .locator("main button")
        .filter({ hasText: /replay|discard|edit/i })
        .count(),
    ).toBe(0);
    expect(mutations).toEqual([]);
    await close();
  });
});

describe("every page", () => {
  const all = () => [
    ...PAGES,
    ...["", "/diff", "/tests", "/logs", "/artifacts?file=task.json", "/trace"].map(
      (view) => `tasks/${fixed.task_id}${view}`,
    ),
  ];

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has nothing serious that axe finds, ${colorScheme}`, async () => {
      const { page, visit, close, troubles } = await openConsole(browser, stack.url, { colorScheme });
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByLabel("API key").fill(api.key);
      await page.keyboard.press("Enter");
      await page.locator(".menu").waitFor();
      for (const fragment of all()) {
        await visit(`#/${fragment}`);
        expect([fragment, await seriousFindings(page)]).toEqual([fragment, []]);
      }
      expect(troubles).toEqual([]);
      await close();
    });
  }

  for (const [width, height] of [
    [375, 800],
    [3840, 2160],
  ] as const) {
    it(`fits a window ${width} px wide`, async () => {
      const { page, visit, close } = await signedIn(browser, stack.url, api.key, {
        viewport: { width, height },
      });
      for (const fragment of all()) {
        await visit(`#/${fragment}`);
        expect([fragment, await overflow(page)]).toEqual([fragment, 0]);
      }
      await close();
    });
  }

  it("is there in Korean, and stays so", async () => {
    const { page, visit, close } = await signedIn(browser, stack.url, api.key, { locale: "ko-KR" });
    await page.getByRole("link", { name: "작업", exact: true }).click();
    await page.getByRole("heading", { name: "작업", exact: true }).waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("ko");
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { name: "Tasks", exact: true }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Tasks", exact: true }).waitFor();
    await page.getByRole("button", { name: "한국어" }).click();
    for (const fragment of all()) {
      await visit(`#/${fragment}`);
      const heading = await page.locator("main h1").first().innerText();
      if (!fragment.startsWith("tasks/")) expect(heading).toMatch(/[가-힣]/);
    }
    await close();
  });

  it("is kept by the browser under the hash of its content", async () => {
    const page = await (await fetch(`${stack.url}/console`)).text();
    for (const [path] of page.matchAll(/\/console\/app\.(js|css)\?v=[0-9a-f]{16}/g)) {
      const named = await fetch(stack.url + path, { headers: { "accept-encoding": "gzip" } });
      expect([
        named.status,
        named.headers.get("cache-control"),
        named.headers.get("content-encoding"),
      ]).toEqual([200, "public, max-age=31536000, immutable", "gzip"]);
      const other = await fetch(stack.url + path.replace(/v=.*/, "v=0000000000000000"));
      expect(other.headers.get("cache-control")).toBe("no-cache");
    }
  });
});
