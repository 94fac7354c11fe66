/**
 * The range that an address is denied with: what is usually given to one household or office, /24
 * of IPv4 and /64 of IPv6. Addresses are as the monitor writes them (RFC 5952). Pure.
 */
const GROUPS_PER_NETWORK = 4
const GROUPS = 8

/** Undefined for an address that is none, or not known. */
export function rangeOf (address: string): string | undefined {
  if (address.includes(':')) return rangeOfIpv6(address)
  const [a, b, c, d] = address.split('.')
  return d === undefined ? undefined : `${a}.${b}.${c}.0/24`
}

function rangeOfIpv6 (address: string): string | undefined {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : GROUPS - before.length - after.length
  const groups = [...before, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  if (groups.length !== GROUPS || groups.every(group => group === '0')) return undefined
  const network = groups.slice(0, GROUPS_PER_NETWORK)
  while (network.at(-1) === '0') network.pop()
  return `${network.join(':')}::/64`
}

/** What the monitor denies for an address: of IPv6 its /64. Undefined as for `rangeOf`. */
export function denialOf (address: string): string | undefined {
  const range = rangeOf(address)
  return range === undefined || address.includes(':') ? range : address
}
