/**
 * Every word that the scripts of the monitor's pages say, ready for another language; what stands
 * in a page before its script runs is in the page. Pure: numbers come in, sentences go out.
 */
const LANGUAGE = 'en'
/** Clock times with 24 hours, days before months. */
const CLOCK_LANGUAGE = 'en-GB'
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Instead of a figure that nobody has measured. */
export const NOT_MEASURED = '–'

export function count (value: number): string {
  return value.toLocaleString(LANGUAGE)
}

/** A figure with as many decimals as its size deserves. */
export function figure (value: number | undefined): string {
  if (value === undefined) return NOT_MEASURED
  const decimals = value === 0 || value >= 100 ? 0 : 1
  return value.toLocaleString(LANGUAGE, {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals
  })
}

export function percent (share: number): string {
  return `${(share * 100).toLocaleString(LANGUAGE, { maximumFractionDigits: 1 })} %`
}

/** The two largest units: `3 d 4 h`, `59 min`, `8 s`. */
export function duration (ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / SECOND_MS))} s`
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  if (ms < DAY_MS) return twoUnits(ms, HOUR_MS, 'h', MINUTE_MS, 'min')
  return twoUnits(ms, DAY_MS, 'd', HOUR_MS, 'h')
}

function twoUnits (
  ms: number, largeMs: number, large: string, smallMs: number, small: string
): string {
  const rest = Math.floor(ms % largeMs / smallMs)
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

export function clock (atMs: number): string {
  return new Date(atMs).toLocaleTimeString(CLOCK_LANGUAGE)
}

export function ago (atMs: number, nowMs: number): string {
  return nowMs - atMs < 2 * SECOND_MS ? 'now' : `${duration(nowMs - atMs)} ago`
}

/** The day that a moment is in, as a heading. */
export function day (atMs: number, nowMs: number): string {
  const date = new Date(atMs).toLocaleDateString(CLOCK_LANGUAGE, {
    day: 'numeric', month: 'long', year: 'numeric'
  })
  const today = new Date(nowMs)
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1)
  if (isSameDay(new Date(atMs), today)) return `Today, ${date}`
  return isSameDay(new Date(atMs), yesterday) ? `Yesterday, ${date}` : date
}

/** Day and clock time in one line. */
export function moment (atMs: number, nowMs: number): string {
  const [name] = day(atMs, nowMs).split(',')
  return `${name} ${clock(atMs).slice(0, 5)}`
}

function isSameDay (a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString()
}

function users (value: number): string {
  return value === 1 ? '1 user' : `${count(value)} users`
}

/** `15:31 today`, `09:00 tomorrow`, or with its date. */
function untilText (atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)]
  const time = clock(atMs).slice(0, 5)
  if (isSameDay(at, now)) return `${time} today`
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1)
  if (isSameDay(at, tomorrow)) return `${time} tomorrow`
  return `${at.toLocaleDateString(CLOCK_LANGUAGE, { day: 'numeric', month: 'long' })}, ${time}`
}

function minutesText (minutes: number | undefined): string {
  return minutes === undefined ? 'until allowed' : `for ${duration(minutes * MINUTE_MS)}`
}

export const GATE = {
  noMatch: 'Name and password do not match.',
  tooMany: (retryAfterS: number | undefined) =>
    `Too many attempts for this account. ${tryAgain(retryAfterS ?? 60)}`,
  busy: (retryAfterS: number | undefined) =>
    `The monitor is busy just now. ${tryAgain(retryAfterS ?? 1)}`,
  unreachable: 'The monitor does not answer. Try again when Usher runs.',
  repeatDiffers: 'This is not the new password. Type it once more.',
  waiting: 'It takes effect at once. This page opens the console by itself when it does.'
} as const

function tryAgain (seconds: number): string {
  if (seconds === 1) return 'Try again in 1 second.'
  return seconds < 120
    ? `Try again in ${seconds} seconds.`
    : `Try again in ${Math.ceil(seconds / 60)} minutes.`
}

export const LIVE = {
  connecting: 'Connecting',
  live: (atMs: number) => `Live ${clock(atMs)}`,
  staleChip: (ageMs: number) => `Stale, ${duration(ageMs)} old`,
  stoppedAt: (atMs: number) => `Live updates stopped at ${clock(atMs)}.`,
  neverStarted: 'Live updates have not started.',
  age: (ageMs: number) => `What you see is ${duration(ageMs)} old.`,
  unreachable: 'The monitor does not answer. It is tried again and again.',
  refused: 'The monitor answers, but sends no live updates. They are tried again and again.'
} as const

export const STATES = {
  up: 'Up', draining: 'Draining', down: 'Down', starting: 'Starting'
} as const

export const OVERVIEW = {
  title: (view: string) => `${view} · Usher`,
  summary: (availableCount: number, serverCount: number) => availableCount === serverCount
    ? `${serverCount === 1 ? '1 server takes' : `All ${serverCount} servers take`} visitors`
    : `${availableCount} of ${serverCount} servers ${availableCount === 1 ? 'takes' : 'take'} visitors`,
  activeUsers: 'Active users',
  onTheirWay: (value: number) => `${count(value)} more on their way`,
  next: 'Next visitor goes to',
  fewestUsers: 'fewest users',
  onlyOne: 'only one available',
  allInTurn: 'all in turn',
  nowhere: 'nowhere',
  nowhereWhy: 'no server is available',
  spread: 'Spread between servers',
  spreadUnit: (value: number) => value === 1 ? 'user' : 'users',
  wait: 'Wait p50, p99',
  redirects: 'Redirects',
  beats: 'Beats',
  connections: 'Connections',
  table: 'Table in use',
  tableOf: (size: number) => `of ${count(size)}`,
  denied: 'Denied',
  perSecond: '/s',
  ms: 'ms'
} as const

export const NOTICES = {
  down: (port: string) => `${port} is down.`,
  downMeans: 'It gets no visitors, and its users are placed on other servers as they come back. Usher starts it again by itself.',
  noneAvailable: 'No server takes visitors.',
  noneAvailableMeans: 'Visitors get 503 until one is up or made ready.',
  nearlyFull: (used: number, size: number) =>
    `The user table is ${percent(used / size)} full, ${count(used)} of ${count(size)} places.`,
  nearlyFullMeans: 'Set MAX_USERS higher and restart; nobody is signed off.',
  stateChanged: (port: string, state: keyof typeof STATES) =>
    `Server ${port}: ${STATES[state].toLowerCase()}.`
} as const

export const SERVERS = {
  activeUsers: 'active users',
  usersLeft: 'users left',
  facts: {
    share: 'of all', reserved: 'on their way', connections: 'connections', requests: 'requests/s', beats: 'beats/s', p99: 'p99'
  },
  upFor: (ms: number) => `up ${duration(ms)}`,
  drain: 'Drain…',
  drainLabel: (port: string) => `Drain ${port}…`,
  ready: 'Make ready',
  readyLabel: (port: string) => `Make ready ${port}`,
  drainTitle: (port: string) => `Drain ${port}?`,
  drainWhat: (value: number) => value === 0
    ? 'It gets no new visitors. Nobody is on it now.'
    : `It keeps its ${users(value)} and gets no new ones.`,
  drainGo: (port: string) => `Drain ${port}`,
  drainHappens: 'Nobody is signed off: users leave in their own time, and the card counts them.',
  drainBack: 'Make ready takes it back at any time.',
  lastTitle: (port: string) => `Drain ${port}, the last one?`,
  lastWhat: 'No other server takes visitors. Until one does, newcomers get 503.',
  lastGo: (port: string) => `Drain ${port} all the same`,
  drained: (port: string) => `${port} is draining.`,
  madeReady: (port: string) => `${port} takes visitors again.`
} as const

export const USERS = {
  select: (id: string) => `Select ${id}`,
  noId: 'no id',
  found: (matched: number) => users(matched),
  range: (first: number, last: number, matched: number) => matched === 0
    ? ''
    : `${first === last ? `Row ${count(first)}` : `Rows ${count(first)} to ${count(last)}`} of ${count(matched)}.`,
  showArrivals: (value: number, isMore: boolean) =>
    `Show ${count(value)}${isMore ? ' or more' : ''} who arrived since`,
  selected: (value: number, isMost: boolean) =>
    `${count(value)} selected${isMost ? ', the most at a time' : ''}`,
  may: (canDisconnect: boolean) => canDisconnect ? 'Views and disconnects' : 'Views',
  copy: 'Copy',
  copied: 'Copied',
  copySelected: 'Selected',
  nobodyTitle: (search: string, server: string) => search === ''
    ? server === '' ? 'No users yet' : `Nobody is on ${server}`
    : `Nobody${server === '' ? '' : ` on ${server}`} matches “${search}”`,
  nobodyText: (search: string, server: string) => search === ''
    ? server === ''
      ? 'Open the router in another browser, or start a crowd from the terminal:'
      : 'Visitors are placed on the server with the fewest users; there may be some on the others.'
    : 'Search looks at the start of an id or address, among people who are here now. ' +
      'Somebody who was denied is under Denied.',
  disconnectTitle: (value: number) => `Disconnect ${users(value)}?`,
  disconnectWhat: 'They lose their place now and may come back at once.',
  disconnectGo: (value: number) => `Disconnect ${users(value)}`,
  disconnectHappens: 'Their open connections are closed after the reply in flight.',
  disconnectBack: 'If they come back, the router places them like any visitor.',
  disconnectWarning: 'To keep them out, deny them instead.',
  disconnecting: (value: number) => `Disconnecting ${users(value)}`,
  disconnected: (value: number) => `${users(value)} disconnected.`
} as const

export const DENIED = {
  title: (value: number) => `Deny ${users(value)}?`,
  what: 'They are disconnected now and refused by the router and every server.',
  targetTitle: 'Deny an address?',
  targetWhat: 'Whoever comes from there is disconnected now and refused by the router and every server.',
  /** Whoever has no id is known by the address. */
  byIds: (ids: number, addressesOnly: number) => ids === 0
    ? addressesOnly === 1 ? 'The address' : 'Their addresses'
    : `${ids === 1 && addressesOnly === 0 ? 'The id' : 'Their ids'}` +
      (addressesOnly === 0 ? '' : `, and the address of ${count(addressesOnly)} without id`),
  byIdsHint: 'Easy to get around: clearing cookies gives a new id.',
  byAddresses: (ids: number, addresses: number, only: string) => addresses === 1
    ? `${ids === 1 ? 'The id' : 'Their ids'} and the address last seen from, ${only}`
    : `Their ids and the ${count(addresses)} addresses they were last seen from`,
  byRanges: (ids: number, ranges: number, only: string) => {
    const what = ranges === 1 ? `the whole range ${only}` : `the ${count(ranges)} ranges around their addresses`
    if (ids === 0) return `${what[0]!.toUpperCase()}${what.slice(1)}`
    return `${ids === 1 ? 'The id' : 'Their ids'} and ${what}`
  },
  sharedHint: 'Whoever else comes from there is refused too.',
  shared: (others: number, isRange: boolean) => {
    const there = isRange ? 'come from there' : 'share these addresses'
    if (others === 0) return `No other users ${there} now.`
    return others === 1
      ? `1 other user ${isRange ? 'comes from there' : 'shares these addresses'} and would be refused too.`
      : `${count(others)} other users ${there} and would be refused too.`
  },
  go: (value: number, minutes: number | undefined) =>
    `Deny ${users(value)} ${minutesText(minutes)}`,
  targetGo: (minutes: number | undefined) => `Deny it ${minutesText(minutes)}`,
  until: (minutes: number | undefined, nowMs: number) => minutes === undefined
    ? 'Until somebody allows them again they see the denied page, wherever they try.'
    : `Until ${untilText(nowMs + minutes * MINUTE_MS, nowMs)} they see the denied page, wherever they try.`,
  undoHappens: 'You can undo this for 10 seconds, and allow them at any time under Denied.',
  ownTitle: (address: string) => `Deny ${address}, your own address?`,
  ownWhat: 'You act from there. The console stays open to you, the sites do not.',
  ownGo: (address: string) => `Deny ${address} all the same`,
  denying: (value: number) => `Denying ${users(value)}`,
  done: (value: number, minutes: number | undefined) =>
    `${users(value)} denied ${minutesText(minutes)}.`,
  targetDone: (target: string, minutes: number | undefined) =>
    `${target} denied ${minutesText(minutes)}.`,
  entries: (value: number) => value === 1 ? '1 entry' : `${count(value)} entries`,
  firstOf: (shown: number, value: number) => `First ${count(shown)} of ${count(value)} entries`,
  noReason: 'No reason given',
  range: 'range',
  untilAllowed: 'Until allowed',
  left: (ms: number) => ms <= 0 ? 'Over' : `${duration(ms)} left`,
  allow: 'Allow',
  allowLabel: (who: string) => `Allow ${who}`,
  allowed: (who: string) => `${who} is allowed again.`,
  allowing: (value: number) => `Allowing ${count(value)} again`,
  undone: (value: number) => value === 1 ? 'Undone: 1 entry is allowed again.' : `Undone: ${count(value)} entries are allowed again.`,
  nobodyTitle: 'Nobody is denied',
  nobodyText: 'Everyone may visit.',
  noMatchTitle: (search: string) => `Nothing matches “${search}”`,
  noMatchText: 'Search looks at ids, addresses, reasons and authors.'
} as const

export const AUDIT = {
  actions: {
    login: 'logged in',
    'login-failed': 'failed to log in',
    logout: 'logged out',
    'password-changed': 'changed the password of',
    disconnect: 'disconnected',
    'disconnect-and-deny': 'disconnected and denied',
    deny: 'denied',
    allow: 'allowed',
    drain: 'started draining',
    ready: 'made ready'
  } as Readonly<Record<string, string>>,
  terms: minutesText,
  andAddress: (address: string) => `and ${address}`
} as const

export const RESULT = {
  progress: (done: number, total: number) => `${count(done)} of ${count(total)}`,
  undo: 'Undo',
  left: (seconds: number) => `${seconds} s`,
  close: 'Close'
} as const

export const FAILURES = {
  unreachable: 'The monitor does not answer. Nothing was changed that is not shown here.',
  partly: (done: number, total: number, why: string) =>
    done === 0 ? why : `${count(done)} of ${count(total)} done. ${why}`
} as const
