/** Two rows: a tenant's number is the smaller of its two slots, so one heavy neighbour does not hide it. */
const ROWS = ["x", "y"] as const;
const SLOTS = 32;

/**
 * The slots a tenant is counted in: fixed in number, whatever the number of tenants (a count-min
 * sketch, Cormode and Muthukrishnan, 2005). Two tenants share both with one chance in 1,024.
 */
export function tenantSlots(tenant: string): [string, string] {
  return [`${ROWS[0]}${hash(tenant, 0) % SLOTS}`, `${ROWS[1]}${hash(tenant, 1) % SLOTS}`];
}

/**
 * The chance with which this tenant's next call is let through, when `share` (0 to 1) of all calls
 * is: max-min fair, so that who asks for less than an equal part of what is let through gets all of
 * it, and the rest is divided among those who ask for more.
 */
export function fairChance(tenant: string, share: number, counts: ReadonlyMap<string, number>): number {
  if (share >= 1) return 1;
  const asked = Array.from({ length: SLOTS }, (_, slot) => counts.get(`${ROWS[0]}${slot}`) ?? 0);
  const [one, other] = tenantSlots(tenant);
  const own = 1 + Math.min(counts.get(one) ?? 0, counts.get(other) ?? 0);
  const total = asked.reduce((sum, amount) => sum + amount, 0);
  if (total === 0) return share;
  return Math.max(0, Math.min(1, fairLevel(asked, share * total) / own));
}

/** The most anyone gets when `capacity` is divided so that no one gets less for someone with more. */
export function fairLevel(asked: readonly number[], capacity: number): number {
  const ascending = asked.filter((amount) => amount > 0).sort((a, b) => a - b);
  let left = capacity;
  for (const [index, amount] of ascending.entries()) {
    const equal = left / (ascending.length - index);
    if (amount > equal) return equal;
    left -= amount;
  }
  return Number.POSITIVE_INFINITY;
}

/** FNV-1a, 32 bits (RFC draft-eastlake-fnv); `seed` makes another function of it. */
export function hash(text: string, seed: number): number {
  let value = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return (value ^ (value >>> 15)) >>> 0;
}
