import { ALERT, ALERT_EVALUATION, SILENCE } from "#lib/platform/table/items.ts";
import { keyOf, partitionOf, recordFields } from "#lib/platform/table/keys.ts";
import { getItem, NEW, putIf, putItem, type TablePorts } from "#lib/platform/table/operations.ts";
import { queryAll } from "#lib/platform/table/queries.ts";
import { AlertRecord, SilenceRecord } from "#schemas/records/alert.ts";

/** Every alert that ever was pending or fired and is not deleted yet. Strongly consistent. */
export async function listAlerts(ports: TablePorts): Promise<AlertRecord[]> {
  const items = await queryAll(partitionOf(ALERT, {}), { consistent: true }, ports);
  return items.map((item) => AlertRecord.parse(recordFields(item)));
}

/** Writes an alert on condition that nobody wrote it since it had the version before. False when somebody did. */
export function moveAlert(next: AlertRecord, ports: TablePorts): Promise<boolean> {
  const item = { ...keyOf(ALERT, next), ...AlertRecord.parse(next) };
  const unchanged = { condition: "version = :seen", values: { seen: next.version - 1 } };
  return putIf(item, next.version === 1 ? NEW : unchanged, ports);
}

/** Silences that are in force, or were lately. */
export async function listSilences(now_ms: number, ports: TablePorts): Promise<SilenceRecord[]> {
  const items = await queryAll(partitionOf(SILENCE, {}), { consistent: true }, ports);
  const silences = items.map((item) => SilenceRecord.parse(recordFields(item)));
  return silences.filter(({ until }) => Date.parse(until) > now_ms);
}

export async function createSilence(record: SilenceRecord, ports: TablePorts): Promise<void> {
  await putItem({ ...keyOf(SILENCE, record), ...SilenceRecord.parse(record) }, ports);
}

/** When alerts were evaluated last, in Unix ms; undefined before the first time. */
export async function lastEvaluation(ports: TablePorts): Promise<number | undefined> {
  const found = await getItem(keyOf(ALERT_EVALUATION, {}), ports);
  return found && Number(found.at_ms);
}

export async function noteEvaluation(now_ms: number, ports: TablePorts): Promise<void> {
  await putItem({ ...keyOf(ALERT_EVALUATION, {}), at_ms: now_ms }, ports);
}
