/** Which messages of a batch an invocation finished, and why the others stay in the queue. */
export interface BatchResult {
  delivered: string[];
  failed: string[];
  /** Set when the answer itself was unusable, so that the whole batch stays. */
  reason?: string;
}

/**
 * Reads a function's answer as Lambda's SQS event source does: nothing listed means success; a
 * malformed answer, or one naming a message that was not in the batch, fails the whole batch.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function batchResult(answer: unknown, message_ids: string[]): BatchResult {
  const whole = (reason: string): BatchResult => ({ delivered: [], failed: message_ids, reason });
  if (answer === undefined || answer === null) return { delivered: message_ids, failed: [] };
  if (typeof answer !== "object" || Array.isArray(answer)) {
    return whole(`The answer is ${JSON.stringify(answer)?.slice(0, 80)}, not an object.`);
  }
  const failures = (answer as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return { delivered: message_ids, failed: [] };
  if (!Array.isArray(failures)) return whole("batchItemFailures is not a list.");
  const failed = new Set<string>();
  for (const failure of failures) {
    const id = (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof id !== "string" || !message_ids.includes(id)) {
      return whole(`itemIdentifier ${JSON.stringify(id)} is no message of this batch.`);
    }
    failed.add(id);
  }
  return { delivered: message_ids.filter((id) => !failed.has(id)), failed: [...failed] };
}
