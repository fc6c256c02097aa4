import { createRequire } from "node:module";
import { type WireItem, writeUnits } from "./write-units.ts";

type Count = (
  request: { ReturnConsumedCapacity?: string; TableName: string },
  is_read: boolean,
  before: WireItem | undefined,
  after: WireItem | undefined,
) => object | undefined;

/** In the process of the emulators: lets dynalite count the write units of indexes too, which it leaves out. */
export function countCapacity(): void {
  if (!process.argv[1]?.endsWith("local/emulators/main.ts")) return;
  const dynalite = createRequire(import.meta.url)("dynalite/db") as { addConsumedCapacity: Count };
  const count = dynalite.addConsumedCapacity;
  dynalite.addConsumedCapacity = (request, is_read, before, after) => {
    const consumed = count(request, is_read, before, after);
    if (!consumed || is_read) return consumed;
    const { table, ...indexes } = writeUnits(before, after);
    const each = Object.entries(indexes).map(([name, units]) => [name, { CapacityUnits: units }]);
    return {
      TableName: request.TableName,
      CapacityUnits: Object.values(indexes).reduce((sum, units) => sum + units, table),
      Table: { CapacityUnits: table },
      GlobalSecondaryIndexes: Object.fromEntries(each),
    };
  };
}
