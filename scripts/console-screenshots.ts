import { readFileSync, rmSync } from "node:fs";
import type { TaskView } from "#schemas/http/task-view.ts";
import { startStack } from "../local/stack.ts";
import { type ConsolePage, launchBrowser, signedIn } from "../test/console/browser.ts";
import { type ApiClient, developmentClient } from "../test/e2e/client.ts";
import { exampleSource } from "../test/e2e/example.ts";
import { enterEnvironment } from "../test/enter-environment.ts";

/*
 * `npm run console:screenshots`: the pictures of the console in docs/images, taken of a stack with its own data, which runs the
 * example's tasks and fails some. Needs Chromium.
 */

const FOLDER = "docs/images";
const VIEW = { width: 1280, height: 860 };
const PATIENCE_MS = 180_000;

const change = (patch: string) => ({
  workflow: "change",
  repository: "date-range",
  source: exampleSource(),
  change: { kind: "patch", diff: readFileSync(`examples/${patch}`, "utf8") },
  test: "node --test --test-reporter=tap",
});

/** Tasks that pass, fail and go to the dead-letter queue. Answers one that passed. */
async function runTasks(api: ApiClient, data_dir: string): Promise<TaskView> {
  const patches = ["fix.patch", "first-try.patch", "fix.patch"];
  const submitted = await Promise.all(patches.map((patch) => api.submit(change(patch))));
  const [passed] = await Promise.all(submitted.map(({ task_id }) => api.ended(task_id)));
  if (passed?.verdict !== "passed") throw new Error(`the example did not pass: ${JSON.stringify(passed)}`);
  enterEnvironment(data_dir);
  // It finds the stack in the environment, so it is loaded now.
  const { failingTasks } = await import("../test/console/failing-tasks.ts");
  const { withoutSource, withWrongInput } = failingTasks();
  const { tasks } = await withoutSource(api, "local", 6);
  const [model] = tasks;
  if (model) await withWrongInput(model, 3, { colour: "blue" });
  return passed;
}

async function picture({ page, visit }: ConsolePage, fragment: string, name: string, ready: string) {
  await visit(fragment);
  await page.locator(ready).first().waitFor({ timeout: PATIENCE_MS });
  await page.evaluate("document.fonts.ready.then(() => undefined)");
  await page.screenshot({ path: `${FOLDER}/${name}.png` });
  console.log(`${FOLDER}/${name}.png`);
}

const stack = await startStack();
const browser = await launchBrowser();
try {
  const api = developmentClient(stack.url, stack.data_dir);
  const passed = await runTasks(api, stack.data_dir);
  const light = await signedIn(browser, stack.url, api.key, { viewport: VIEW, colorScheme: "light" });
  await picture(light, "#/alerts", "console-alerts", "main .card");
  await picture(light, "#/failures", "console-failures", ".groups tbody tr:nth-child(2)");
  await picture(light, "#/overview", "console-overview", "canvas");
  const dark = await signedIn(browser, stack.url, api.key, { viewport: VIEW, colorScheme: "dark" });
  await picture(dark, `#/tasks/${passed.task_id}/diff`, "console-diff", ".line.added");
} finally {
  await browser.close();
  await stack.stop();
  rmSync(stack.data_dir, { recursive: true, force: true });
}
