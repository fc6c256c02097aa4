import { type Asking, parkingOf } from "#lib/resilience/circuit/asking.ts";
import { fairChance, tenantSlots } from "#lib/resilience/circuit/fair-share.ts";
import { circuitOpen, dependencyRecovering } from "#lib/resilience/circuit/parking.ts";
import { allowanceOf, allowedShare, isFull, laterShare } from "#lib/resilience/circuit/recovery.ts";

/** Who asks for more than an equal part leaves the others so much of what may pass. */
const ROOM = 0.08;

/**
 * One of the calls that may be made after an outage. It is counted first and told to all, and given
 * back when it turns out to be one too many: so all environments together keep to what is allowed.
 *
 * @throws ParkedFault `DEPENDENCY_DAMPED`, `CIRCUIT_OPEN`
 */
export async function takePass(asking: Asking, counts: ReadonlyMap<string, number>): Promise<number> {
  const { circuit, request, policy, ports } = asking;
  const refuse = (share: number) => {
    circuit.count(policy, "held", ...tenantSlots(request.tenant));
    return dependencyRecovering(share, parkingOf(asking));
  };
  const look = (own: 0 | 1) => {
    const now = ports.runtime.now();
    const traffic = circuit.traffic();
    const allowance = allowanceOf(circuit.record, traffic, policy, now);
    if (!allowance) return { full: false, later: 1 };
    const share = allowedShare(allowance);
    const modest = fairChance(request.tenant, share, counts) >= 1;
    const mine = { now, own, share: modest ? 1 : 1 - ROOM };
    return { full: isFull(allowance, circuit.record, traffic, policy, mine), later: laterShare(allowance) };
  };
  const before = look(0);
  if (before.full) throw refuse(before.later);
  const pass = circuit.second();
  circuit.countAt(pass, "passed", policy);
  await circuit.share(policy, ports.log, true);
  const { record } = circuit;
  if (record && record.state !== "closed") throw circuitOpen(record, parkingOf(asking));
  const after = look(1);
  if (!after.full) return pass;
  circuit.countAt(pass, "passed", policy, -1);
  await circuit.share(policy, ports.log, true);
  throw refuse(after.later);
}
