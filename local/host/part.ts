/** A program the machine must have for a part to run. */
export interface Tool {
  /** As it is called on the command line, such as `java`. */
  command: string;
  /** What makes it print its version. */
  version_arguments: readonly string[];
  /** The lowest major and minor that works, such as `[17, 0]`. */
  version_minimum: readonly [number, number];
  /** How to get it, such as `apt-get install openjdk-17-jre-headless`. */
  install_hint: string;
}

export interface StartPart {
  /** On loopback only; free, for the command has looked. */
  port: number;
  /** This part's own, which may hold data of an earlier run. */
  data_directory: string;
  /** Where the server's output is appended. */
  log_file: string;
}

export interface RunningPart {
  /** Where clients reach it, such as `http://127.0.0.1:4566` or `bolt://127.0.0.1:7687`. */
  endpoint: string;
  /** The variables that lead this system to it, such as `AWS_ENDPOINT_URL_SQS` or `NEO4J_URL`. */
  environment: Record<string, string>;
  pid: number;
  /** Ends it in order, and by force when that takes too long. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves with its exit code once it has ended, asked or not; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** One server of the host mode: a real one, run by this machine's own Python or Java. */
export interface HostPart {
  /** As `--only` takes it. */
  name: string;
  /** What runs, with its version, in words. */
  title: string;
  port_default: number;
  tools: readonly Tool[];
  /** What else it misses on this machine, one sentence each that says what to do. */
  complaints?(): Promise<string[]>;
  /**
   * Puts everything it runs into the cache, checksummed; does nothing when it is there already.
   * `progress` takes one readable line at a time.
   */
  install(progress: (line: string) => void): Promise<void>;
  /** Answers once it serves. @throws with one sentence that says what to do when it does not. */
  start(options: StartPart): Promise<RunningPart>;
}
