/**
 * Why admission is adaptive throttling over pooled counts: the same overload met in four ways, in
 * virtual time. Four hundred environments that each see a call every two seconds, 200 jobs a second, and a dependency that
 * answers 400 a second, from second 30 to 120 only 80 (what is beyond fails, and costs it a fifth of
 * an answer). `npm run bench:attenuation` prints calls a second that were answered and that were
 * wasted, while it is weak, and how soon all is well again.
 */

const ENVIRONMENTS = 400;
const SECONDS = 240;
const WEAK = { from: 30, to: 120 };
const TICKS = 10;
const WINDOW = 10;
const K = 1.5;
const JOBS_PER_TICK = 20;

let seed = 7;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

/** Decides whether an environment lets a job through, and learns how it went. */
interface Admission {
  name: string;
  admits(environment: number, second: number): boolean;
  learns(environment: number, second: number, admitted: boolean, answered: boolean): void;
}

const nothing: Admission = { name: "nothing", admits: () => true, learns: () => undefined };

/** Requests and accepts of the last ten seconds; `pools` is how many share their counts, `lag` how late. */
function throttling(name: string, pooled: boolean, lag: number): Admission {
  const pools = Array.from({ length: pooled ? 1 : ENVIRONMENTS }, () => new Map<number, [number, number]>());
  const poolOf = (environment: number) => pools[pooled ? 0 : environment] as Map<number, [number, number]>;
  return {
    name,
    admits(environment, second) {
      let requests = 0;
      let accepts = 0;
      for (let at = second - WINDOW - lag; at <= second - lag; at += 1) {
        const [asked, accepted] = poolOf(environment).get(at) ?? [0, 0];
        requests += asked;
        accepts += accepted;
      }
      const share = requests < 10 ? 1 : 1 - Math.max(0, (requests - K * accepts) / (requests + 1));
      return random() < Math.max(0.02, share);
    },
    learns(environment, second, admitted, answered) {
      const pool = poolOf(environment);
      const [asked, accepted] = pool.get(second) ?? [0, 0];
      pool.set(second, [asked + 1, accepted + (admitted && answered ? 1 : 0)]);
    },
  };
}

/** A limit on calls a second for each environment, by additive increase and multiplicative decrease. */
function gradient(): Admission {
  const limits = Array.from({ length: ENVIRONMENTS }, () => 8);
  const used = new Map<string, number>();
  return {
    name: "gradient limit, each environment alone",
    admits(environment, second) {
      const key = `${environment}|${second}`;
      const limit = limits[environment] as number;
      const count = used.get(key) ?? 0;
      if (count + random() >= limit) return false;
      used.set(key, count + 1);
      return true;
    },
    learns(environment, _second, admitted, answered) {
      if (!admitted) return;
      const limit = limits[environment] as number;
      limits[environment] = answered ? Math.min(8, limit + 0.1) : Math.max(0.1, limit * 0.9);
    },
  };
}

function run(admission: Admission) {
  let waiting: number[] = [];
  const answered = Array.from({ length: SECONDS }, () => 0);
  const wasted = Array.from({ length: SECONDS }, () => 0);
  for (let tick = 0; tick < SECONDS * TICKS; tick += 1) {
    const second = Math.floor(tick / TICKS);
    const weak = second >= WEAK.from && second < WEAK.to;
    let capacity = (weak ? 80 : 400) / TICKS;
    const fresh = Array.from({ length: JOBS_PER_TICK }, () => tick);
    const ready = [...waiting.filter((at) => at <= tick), ...fresh];
    waiting = waiting.filter((at) => at > tick);
    for (const _ of ready) {
      const environment = Math.floor(random() * ENVIRONMENTS);
      const admitted = admission.admits(environment, second);
      const good = admitted && random() < Math.min(1, Math.max(0, capacity));
      if (admitted) capacity -= good ? 1 : 0.2;
      admission.learns(environment, second, admitted, good);
      if (good) answered[second] = (answered[second] ?? 0) + 1;
      else if (admitted) wasted[second] = (wasted[second] ?? 0) + 1;
      if (!good) waiting.push(tick + Math.ceil(TICKS * 20 * (0.5 + random())));
    }
  }
  const mean = (values: number[], from: number, to: number) =>
    values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  const well = answered.findIndex((count, second) => second >= WEAK.to && count >= 180);
  return {
    admission: admission.name,
    "answered/s while weak": mean(answered, WEAK.from + 15, WEAK.to).toFixed(0),
    "wasted/s while weak": mean(wasted, WEAK.from + 15, WEAK.to).toFixed(0),
    "s until well again": well < 0 ? "never" : well - WEAK.to,
  };
}

console.table([
  run(nothing),
  run(throttling("throttling, each environment alone", false, 0)),
  run(throttling("throttling, pooled, 2 s late", true, 2)),
  run(gradient()),
]);
