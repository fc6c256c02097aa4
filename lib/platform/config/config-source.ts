/** Where changes of configuration files come from, and how often to look. */
export interface ConfigSource {
  /** For people: `configs/` or `s3://bucket/configs/`. */
  readonly place: string;
  /** How old a look may be before a new one is started, off the request's path. */
  readonly refresh_ms: number;
  /** How old it may be before a request waits for a new one. */
  readonly wait_ms: number;
  /** How long a look may take, and a request wait for it. */
  readonly timeout_ms: number;
  /** How long a fault must last to be told. */
  readonly settle_ms: number;
  /** All of a file as it is now. Throws ConfigRejected when it is too large, anything else when it cannot be read. */
  read(name: string): Promise<Uint8Array>;
}
