/** How `npm run dlq` ends. */
export const DLQ_EXIT = { done: 0, kept: 1, fault: 1, usage: 2 } as const;

/** What the operator reads instead of a stack, and how the process ends. */
export class DlqError extends Error {
  readonly exit: number;
  constructor(exit: number, message: string) {
    super(message);
    this.exit = exit;
  }
}
