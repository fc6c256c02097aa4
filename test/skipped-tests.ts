import type { Reporter, TestModule } from "vitest/node";
import { isHere, type Tool } from "./tools.ts";

/**
 * Names, after a run, what was skipped because this machine lacks a tool. Tests that share the name of
 * their group make one line with their number.
 */
export default class SkippedTests implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const skipped = new Map<string, Map<string, number>>();
    for (const module of modules) {
      for (const { fullName } of module.children.allTests("skipped")) {
        const [group = "", tool = ""] = /^.*?\(needs ([^)]+)\)/.exec(fullName) ?? [];
        const groups = skipped.get(tool) ?? new Map<string, number>();
        const name = `${module.relativeModuleId}: ${group}`;
        if (group !== "") skipped.set(tool, groups.set(name, (groups.get(name) ?? 0) + 1));
      }
    }
    for (const [tool, groups] of skipped) {
      if (await isHere(tool as Tool).catch(() => false)) continue; // not selected, which is no lack
      const total = [...groups.values()].reduce((sum, tests) => sum + tests, 0);
      console.log(`\nSkipped because ${tool} is missing here: ${total} tests`);
      for (const [name, tests] of groups) console.log(`  ${String(tests).padStart(4)}  ${name}`);
    }
  }
}
