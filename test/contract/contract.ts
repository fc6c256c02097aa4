import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Difference } from "./difference.ts";
import { target } from "./targets/target.ts";
import type { Worlds } from "./targets/worlds.ts";

interface Semantic<World> {
  /** Files that rely on it. */
  relied_on_by: [string, ...string[]];
  /** Does it, and says what is seen. */
  observe(world: World): Promise<unknown>;
  /** What is seen on AWS: a value, or a matcher of values. */
  aws: unknown;
  /** Targets named here must be seen to differ, exactly as they say. */
  differs?: readonly Difference[];
}

export type DefineSemantic<World> = (sentence: string, semantic: Semantic<World>) => void;

/** Opens a service of the target for a test file. What it answers defines one semantic as one test. */
export function contract<Service extends keyof Worlds>(service: Service): DefineSemantic<Worlds[Service]> {
  const here = target();
  const open = here.open[service];
  if (!open) throw new Error(`The target ${here.name} has no ${service}: leave its tests out.`);
  let world: Worlds[Service];
  beforeAll(async () => {
    world = (await open()) as Worlds[Service];
  });
  afterAll(() => world.close());

  return (sentence, { relied_on_by, observe, aws, differs = [] }) => {
    it(`${sentence} (${relied_on_by.join(", ")})`, async () => {
      expect(relied_on_by.filter((file) => !existsSync(file))).toEqual([]);
      const declared = differs.map(({ targets }) => targets[here.name]).find((one) => one !== undefined);
      const seen = await observe(world).catch((error: Error) => {
        if (!isRefusal(declared?.observed)) throw error;
        return { throws: error.name };
      });
      expect(seen).toEqual(declared ? declared.observed : aws);
      if (declared) expect(seen, "no difference any more: take it out").not.toEqual(aws);
    });
  };
}

function isRefusal(observed: unknown): boolean {
  return typeof observed === "object" && observed !== null && "throws" in observed;
}
