/** One run of a function: the unit that crashes, freezes and has a clock. */
export interface Invocation {
  /** `awsRequestId`. */
  id: string;
  service: string;
  number: number;
  started_at: number;
  timeout_ms: number;
  /** Its clock minus true time. */
  clock_offset_ms: number;
  /** Nothing of it runs before this time. */
  frozen_until: number;
  state: "running" | "ended" | "dead";
}
