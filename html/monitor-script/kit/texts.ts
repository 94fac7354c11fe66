/**
 * Every text that the scripts of the monitor's pages show, in one place for translation; what a
 * page shows before its script runs is in the page. Functions from numbers to sentences; the only
 * state is whether times are UTC (see times.ts).
 */
const LANGUAGE = 'en'
/** Clock times with 24 hours, days before months. */
const CLOCK_LANGUAGE = 'en-GB'
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** In place of a figure that was not measured. */
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

export function counted (value: number | undefined): string {
  return value === undefined ? NOT_MEASURED : count(value)
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

/** Whether clock times and days are said in UTC; else they are this browser's. */
let isUtc = false

export function areTimesUtc (): boolean {
  return isUtc
}

export function setTimesUtc (isChosen: boolean): void {
  isUtc = isChosen
}

export function clock (atMs: number): string {
  return new Date(atMs).toLocaleTimeString(CLOCK_LANGUAGE, zone())
}

/** Without seconds, for an axis. */
export function clockMinutes (atMs: number): string {
  return new Date(atMs).toLocaleTimeString(CLOCK_LANGUAGE, {
    hour: '2-digit', minute: '2-digit', ...zone()
  })
}

export function ago (atMs: number, nowMs: number): string {
  return nowMs - atMs < 2 * SECOND_MS ? 'now' : `${duration(nowMs - atMs)} ago`
}

/** The day that a moment is in, as a heading: `Today, 24 November`, `31 December 2025`. */
export function day (atMs: number, nowMs: number): string {
  const name = dayName(atMs, nowMs)
  return name === undefined ? date(atMs, nowMs, 'long') : `${name}, ${date(atMs, nowMs, 'long')}`
}

/** Day and clock time in one line: `Today 14:31`, `22 Nov 11:57`. */
export function moment (atMs: number, nowMs: number): string {
  return `${dayName(atMs, nowMs) ?? date(atMs, nowMs, 'short')} ${clock(atMs).slice(0, 5)}`
}

/** The year is said where it is another one. */
function date (atMs: number, nowMs: number, month: 'long' | 'short'): string {
  const isThisYear = yearOf(atMs) === yearOf(nowMs)
  return new Date(atMs).toLocaleDateString(CLOCK_LANGUAGE, {
    day: 'numeric', month, ...(isThisYear ? {} : { year: 'numeric' }), ...zone()
  })
}

function dayName (atMs: number, nowMs: number): string | undefined {
  const todayMs = startOfDay(nowMs)
  if (startOfDay(atMs) === todayMs) return 'Today'
  return startOfDay(atMs) === startOfDay(todayMs - 1) ? 'Yesterday' : undefined
}

/** Days of a browser's own zone have 23 to 25 hours. */
function startOfDay (atMs: number): number {
  return isUtc ? Math.floor(atMs / DAY_MS) * DAY_MS : new Date(atMs).setHours(0, 0, 0, 0)
}

function yearOf (atMs: number): number {
  return isUtc ? new Date(atMs).getUTCFullYear() : new Date(atMs).getFullYear()
}

function zone (): { timeZone?: 'UTC' } {
  return isUtc ? { timeZone: 'UTC' } : {}
}

function users (value: number): string {
  return value === 1 ? '1 user' : `${count(value)} users`
}

/** `15:31 today`, `09:00 tomorrow`, or with its date. */
function untilText (atMs: number, nowMs: number): string {
  const time = clockMinutes(atMs)
  const todayMs = startOfDay(nowMs)
  if (startOfDay(atMs) === todayMs) return `${time} today`
  if (startOfDay(startOfDay(atMs) - 1) === todayMs) return `${time} tomorrow`
  return `${date(atMs, nowMs, 'long')}, ${time}`
}

function listed (words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`
}

function minutesText (minutes: number | undefined): string {
  return minutes === undefined ? 'until allowed' : `for ${duration(minutes * MINUTE_MS)}`
}

export const GATE = {
  noMatch: 'Name and password do not match.',
  tooMany: (retryAfterS: number | undefined) =>
    `Too many attempts for this account. ${tryAgain(retryAfterS ?? 60)}`,
  busy: (retryAfterS: number | undefined) =>
    `The monitor is busy right now. ${tryAgain(retryAfterS ?? 1)}`,
  unreachable: 'The monitor does not answer. Try again when Usher is running.',
  repeatDiffers: 'The two passwords are not the same. Type the new one again.',
  waiting: 'It takes effect at once. This page then opens the console by itself.'
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
  retryIn: (ms: number) => `Trying again in ${Math.max(1, Math.ceil(ms / SECOND_MS))} s.`,
  retrying: 'Trying again now.',
  unreachable: 'The monitor does not answer.',
  refused: 'Usher is still serving visitors.'
} as const

export const STATES = {
  up: 'Up', draining: 'Draining', down: 'Down', starting: 'Starting', maintenance: 'Maintenance'
} as const

export const OVERVIEW = {
  title: (view: string) => `${view} · Usher`,
  summaryUp: (serverCount: number, ms: number) =>
    `${serverCount === 1 ? '1 server' : `${serverCount} servers`} up for ${duration(ms)}`,
  balanced: 'balanced',
  inFleet: (node: string, serverCount: number, userCount: number) =>
    `node ${node} of a fleet with ${serverCount === 1 ? '1 server' : `${count(serverCount)} servers`} ` +
    `and ${users(userCount)}`,
  asOf: (atMs: number) => `As of ${clock(atMs)}`,
  summary: (availableCount: number, serverCount: number) => {
    if (serverCount === 0) return 'No servers'
    return availableCount === serverCount
      ? `${serverCount === 1 ? '1 server takes' : `All ${serverCount} servers take`} visitors`
      : `${availableCount} of ${serverCount} servers ${availableCount === 1 ? 'takes' : 'take'} visitors`
  },
  activeUsers: 'Active users',
  onTheirWay: (value: number, onThisNode: number | undefined) =>
    `${count(value)} more on their way` +
    (onThisNode === undefined ? '' : `, ${count(onThisNode)} on this node`),
  ofThisNode: (label: string) => `${label}, this node`,
  next: 'Next visitor goes to',
  allInTurn: 'all in turn',
  oneOf: (value: number) => `one of ${count(value)}`,
  nowhere: 'nowhere',
  nowhereWhy: 'no server is available',
  nowhereAsFull: 'every server is full',
  spread: 'Spread between servers',
  spreadInFleet: 'Spread in the fleet',
  oneTakes: 'one server takes visitors',
  spreadUnit: (value: number) => value === 1 ? 'user' : 'users',
  wait: 'Wait p50, p99',
  redirects: 'Redirects',
  beats: 'Heartbeats',
  connections: 'Connections',
  table: 'User table in use',
  tableOf: (size: number, share: number | undefined) =>
    `of ${count(size)}${share === undefined ? '' : `, ${percent(share)}`}`,
  denied: 'Denied',
  perSecond: '/s',
  ms: 'ms'
} as const

const CHARTS_NO_DATA = 'no data'
/** By their names in the history; % stands for the server. */
const EVENTS: Readonly<Record<string, string>> = {
  add: '% added',
  remove: '% removed',
  drain: 'drain %',
  ready: '% ready',
  restart: '% restarted',
  down: '% down',
  up: '% up',
  start: 'start',
  reload: 'reload',
  away: '% away',
  back: '% back',
  'node-start': '% started',
  'node-reload': '% reloaded'
}

/** What the spread in a legend is made of; as in `/stats`, by weight. */
interface Balanced {
  readonly load: number | null
  /** Undefined of nodes, which are not to have alike. */
  readonly weight: number | undefined
  readonly state: string | undefined
}

export const CHARTS = {
  title: 'Load over time',
  lines: {
    title: (isOfNodes: boolean) => isOfNodes ? 'Load per node' : 'Load per server',
    note: (_isOfNodes: boolean) => 'Active users and reserved places',
    whole: 'spread',
    /** Empty where there is none. */
    wholeOf: (servers: ReadonlyArray<Balanced>) => {
      if (servers.some(({ weight }) => weight === undefined)) return ''
      // A server that drains is not balanced any more.
      const loads = servers.filter(({ state }) => state !== 'draining')
        .flatMap(({ load, weight = 1 }) => load === null ? [] : [load / weight])
      if (loads.length < 2) return NOT_MEASURED
      return count(Math.floor(Math.max(...loads) - Math.min(...loads)))
    }
  },
  stack: {
    title: (_isOfNodes: boolean) => 'Total',
    note: (isOfNodes: boolean) => isOfNodes ? 'All nodes, stacked' : 'All servers, stacked',
    whole: 'total',
    wholeOf: (servers: ReadonlyArray<{ load: number | null }>) =>
      servers.every(({ load }) => load === null)
        ? CHARTS_NO_DATA
        : count(servers.reduce((total, { load }) => total + (load ?? 0), 0))
  },
  range: (minutes: number) => duration(minutes * MINUTE_MS).replace('1 d', '1 day'),
  fitted: (from: number) => `Axis starts at ${count(from)}`,
  keys: (title: string) => `${title}. Left and right arrows read the figures.`,
  now: 'Now',
  time: 'Time',
  noData: CHARTS_NO_DATA,
  nothingBefore: 'not measured before this',
  down: 'down',
  away: 'away',
  maintenance: 'maintenance',
  removed: 'removed',
  removedName: (name: string) => `${name} (removed)`,
  ended: (name: string, isAway: boolean) => `${name} ${isAway ? 'away' : 'down'}`,
  draining: (load: number) => `${count(load)}, draining`,
  asTable: 'Show as a table',
  event: (type: string, port: string | undefined) => {
    const text = Object.hasOwn(EVENTS, type) ? EVENTS[type]! : type
    return port === undefined ? text : text.replace('%', port)
  }
} as const

export const NOTICES = {
  down: (port: string, sinceMs: number | undefined, restarts: number) =>
    `${port} ${sinceMs === undefined ? 'is down' : `has been down since ${clock(sinceMs)}`}.` +
    (restarts === 0 ? '' : ` It has been restarted ${restarts === 1 ? 'once' : `${count(restarts)} times`}.`),
  downMeans: 'New visitors go to the other servers, and so do its users when they come back. Usher restarts it by itself.',
  downElsewhere: (name: string, sinceMs: number | undefined, reason: string) =>
    `${name} ${sinceMs === undefined ? 'is down' : `has been down since ${clock(sinceMs)}`}` +
    `${reason === '' ? '' : `: ${reason}`}.`,
  downElsewhereMeans: 'New visitors go to the other servers, and so do its users when they come back. It runs elsewhere: Usher looks again and again, and sends visitors there once it answers.',
  atNode: (node: string, fact: string) => `Node ${node}: ${fact}`,
  seeServers: 'See servers',
  noServers: 'There are no servers.',
  noServersMeans: 'Visitors see an error page (503) until there is one. Add a server that runs elsewhere under Servers, or name servers in PORTS or EXTERNAL_SERVERS and restart.',
  noneAvailable: 'No server is available.',
  noneAvailableMeans: 'Visitors see an error page (503) until a server is up or made ready.',
  allFull: 'Every server is full.',
  allFullMeans: 'New visitors see a page that says so (503) until somebody leaves. Set CAPACITY higher and reload: everybody who is here stays.',
  fleetAway: (sinceMs: number, reason: string) =>
    `This node has been away from its fleet since ${clock(sinceMs)}${reason === '' ? '' : `: ${reason}`}.`,
  fleetAwayMeans: 'The engine that counts the users of all nodes cannot be reached. New visitors go to the servers of this node, and the fleet is told of them once it can.',
  nodeAway: (node: string, sinceMs: number, others: number) =>
    `The node ${node} has been away since ${clock(sinceMs)}` +
    `${others === 0 ? '' : `, and so ${others === 1 ? 'has another one' : `have ${count(others)} others`}`}.`,
  nodeAwayMeans: 'Nobody is sent to its servers, and its users go to other nodes when they come back. A node that is gone for good is forgotten after a day.',
  nearlyFull: (used: number, size: number) =>
    `The user table is ${percent(used / size)} full, ${count(used)} of ${count(size)} places.`,
  nearlyFullMeans: 'When it is full, new visitors are turned away (503). Set MAX_USERS higher and restart: everybody who is here stays counted.',
  newcomers: (network: string) =>
    `${network} brings more new visitors than are counted from one network.`,
  newcomersMean: (requests: number, sinceMs: number, others: number, isRefused: boolean) =>
    `${count(requests)} ${requests === 1 ? 'request' : 'requests'} since ${clock(sinceMs)} ` +
    `${requests === 1 ? 'was' : 'were'} ${isRefused ? 'turned away (503)' : 'served but not counted'}` +
    (others === 0 ? '. ' : `; the same goes for ${count(others)} other ${others === 1 ? 'network' : 'networks'}. `) +
    'If they mean harm, deny the network. If it is an office or a school, name it in TRUSTED_NETWORKS and restart.',
  denyNetwork: (network: string) => `Deny ${network}…`,
  certificate: (problem: 'expires_soon' | 'expired' | 'not_yet_valid', atMs: number, nowMs: number) => ({
    expires_soon: `The certificate expires soon: ${moment(atMs, nowMs)}.`,
    expired: `The certificate has expired: ${moment(atMs, nowMs)}.`,
    not_yet_valid: `The certificate is not valid yet: only from ${moment(atMs, nowMs)}.`
  })[problem],
  certificateMeans: 'Outside of its time, browsers refuse the site and this console. Renew the file of TLS_CERT, then send SIGHUP: nobody is disconnected.',
  stateChanged: (port: string, state: keyof typeof STATES) =>
    `Server ${port}: ${STATES[state].toLowerCase()}.`
} as const

function stateWithTime (state: keyof typeof STATES, sinceMs: number | undefined): string {
  return state === 'down' && sinceMs !== undefined ? `Down for ${duration(sinceMs)}` : STATES[state]
}

export const SERVERS = {
  title: 'Servers',
  server: 'Server',
  stateColumn: 'State',
  router: (node: string | undefined) => node === undefined ? 'Router' : `Router of ${node}`,
  actions: 'Actions',
  columns: {
    active: 'Active',
    held: 'Reserved',
    share: 'Share',
    requests: 'Req/s',
    beats: 'Beats/s',
    p50: 'p50',
    p99: 'p99',
    errors: 'Errors/s',
    connections: 'Conns',
    restarts: 'Restarts',
    upFor: 'Up for'
  },
  activeUsers: 'active users',
  places: (taken: number, capacity: number) => `${count(taken)} of ${count(capacity)} places taken`,
  leftLabel: (of: number | undefined) =>
    of === undefined ? 'users left' : `users left of ${count(of)}`,
  facts: { share: 'of all', reserved: 'on their way', requests: 'requests/s', p99: 'p99' },
  state: stateWithTime,
  stateLong: (state: keyof typeof STATES, activeUsers: number, sinceMs: number | undefined) => {
    if (state !== 'draining') return stateWithTime(state, sinceMs)
    return activeUsers === 0
      ? 'Empty, safe to stop'
      : `${STATES.draining}, ${users(activeUsers)} left`
  },
  down: (value: number) => `${count(value)} down`,
  milliseconds: (value: number | undefined) =>
    value === undefined ? NOT_MEASURED : `${figure(value)} ms`,
  perSecond: (value: number | undefined) =>
    value === undefined ? NOT_MEASURED : `${figure(value)} /s`,
  upFor: (ms: number | undefined) => ms === undefined ? NOT_MEASURED : duration(ms),
  /** @param isOfNode other nodes of the fleet have more */
  whyLast: (port: string, draining: string | undefined, isOfNode: boolean) =>
    `${port} is the only server ${isOfNode ? 'of this node ' : ''}that takes visitors, so it cannot ` +
    `be drained${isOfNode ? ' alone: drain the node' : ''}.` +
    (draining === undefined ? '' : ` Make ${draining} ready first.`),
  drain: 'Drain…',
  drainLabel: (port: string) => `Drain ${port}…`,
  ready: 'Make ready',
  readyLabel: (port: string) => `Make ready ${port}`,
  drainTitle: (port: string) => `Drain ${port}?`,
  drainWhat: (value: number) => value === 0
    ? 'It gets no new visitors. Nobody is on it now.'
    : `It keeps its ${users(value)} and gets no new ones.`,
  drainGo: (port: string, minutes: number | undefined) =>
    minutes === 0 ? `Drain ${port} and move everybody` : `Drain ${port}`,
  drainUntil: (minutes: number | undefined, nowMs: number) => minutes === undefined
    ? 'Nobody is disconnected: users leave when they want, and the card shows how many are left.'
    : `Users who are left ${minutes === 0 ? 'now' : `at ${untilText(nowMs + minutes * MINUTE_MS, nowMs)}`} ` +
      'move at their next request: their page comes from another server.',
  drainKept: 'It stays drained when Usher restarts.',
  drainBack: 'You can undo this at any time with Make ready.',
  drainLine: (note: string, movesFromMs: number | undefined, nowMs: number) => [
    ...(note === '' ? [] : [note]),
    ...(movesFromMs === undefined
      ? []
      : [movesFromMs <= nowMs ? 'Everybody left moves now' : `Everybody left moves at ${untilText(movesFromMs, nowMs)}`])
  ].join(' · '),
  suspect: 'Everybody there fell silent at once',
  lastCheck: (found: string, tookMs: number) => `Last check: ${found}, ${count(tookMs)} ms`,
  onlyOne: (isOfNode: boolean) => isOfNode
    ? 'The only server of this node that takes visitors: drain the node, under Servers.'
    : 'The only server that takes visitors: it cannot be drained.',
  change: 'Change…',
  changeLabel: (port: string) => `Change the drain of ${port}…`,
  changeTitle: (port: string) => `Change the drain of ${port}?`,
  changeGo: 'Change the drain',
  maintain: 'Maintain…',
  maintainLabel: (name: string) => `Maintain ${name}…`,
  maintainTitle: (name: string) => `Put ${name} into maintenance?`,
  maintainWhat: (value: number) => value === 0
    ? 'Nobody is sent there any more. Nobody is on it now.'
    : `Nobody is sent there any more. Its ${users(value)} go to another server when they come back.`,
  maintainKept: 'It stays so when Usher restarts, whatever its health checks find.',
  maintainGo: (name: string) => `Put ${name} into maintenance`,
  maintainLastTitle: (name: string) => `Put ${name} into maintenance, the last one?`,
  maintainLastGo: (name: string) => `Put ${name} into maintenance anyway`,
  maintained: (name: string) => `${name} is in maintenance.`,
  changeNoteLabel: (name: string) => `Change the note of ${name}…`,
  changeNoteTitle: (name: string) => `Change the note of ${name}?`,
  changeNoteGo: 'Change the note',
  restart: 'Restart…',
  restartLabel: (port: string) => `Restart ${port}…`,
  restartTitle: (port: string) => `Restart ${port}?`,
  restartWhat: (value: number) => value === 0
    ? 'A new thread takes its place. Nobody is on it now.'
    : `A new thread takes its place, and its ${users(value)} stay on it.`,
  restartHappens: 'Requests that have begun are answered first.',
  restartGo: (port: string) => `Restart ${port}`,
  restartLastTitle: (port: string) => `Restart ${port}, the last one?`,
  restartLastWhat: (isInFleet: boolean) => isInFleet
    ? 'No other server of its node is available. Until it is back, about a second, visitors go to other nodes.'
    : 'No other server is available. Until it is back, about a second, visitors see an error page.',
  restartLastGo: (port: string) => `Restart ${port} anyway`,
  restarted: (port: string) => `${port} has been restarted.`,
  lastTitle: (port: string) => `Drain ${port}, the last one?`,
  lastWhat: (isInFleet: boolean) => isInFleet
    ? 'No other server of its node is available. Until one is, visitors go to other nodes, and where these have none they see an error page (503).'
    : 'No other server is available. Until one is, new visitors see an error page (503).',
  lastGo: (port: string) => `Drain ${port} anyway`,
  drained: (port: string) => `${port} is draining.`,
  madeReady: (port: string) => `${port} gets new visitors again.`
} as const

/** Threads that do not know it yet; Usher goes on telling them. */
function lateText (late: readonly string[]): string {
  if (late.length === 0) return ''
  return ` Not every thread knows it yet (${late.join(', ')}): Usher tells them again until they do.`
}

/** Servers that run elsewhere, and the form for them. */
export const ELSEWHERE = {
  source: (source: 'settings' | 'console') => source === 'settings' ? 'settings' : 'added here',
  notInForce: 'not in force',
  weight: 'Weight',
  capacity: 'Capacity',
  health: 'Health check',
  /** What nothing is said of. */
  auto: 'As for all',
  every: (seconds: number) => `every ${seconds} s`,
  within: (seconds: number) => `within ${seconds} s`,
  status: (status: string) => `status ${status}`,
  rise: (value: number) => `up after ${count(value)}`,
  fall: (value: number) => `down after ${count(value)}`,
  addTitle: 'Add a server',
  add: 'Add server',
  added: (name: string, late: readonly string[]) =>
    `${name} was added. It gets visitors once a health check has found it up.${lateText(late)}`,
  change: 'Change',
  changeLabel: (name: string) => `Change ${name}`,
  changeTitle: (name: string) => `Change ${name}`,
  save: 'Save changes',
  changed: (name: string, late: readonly string[]) => `${name} was changed.${lateText(late)}`,
  remove: 'Remove…',
  removeLabel: (name: string) => `Remove ${name}…`,
  removeTitle: (name: string) => `Remove ${name}?`,
  removeWhat: 'Nobody is sent there any more. Its users go to another server when they come back.',
  removeHappens: 'What runs there is not touched.',
  removeWarning: 'This cannot be undone; it would have to be added again.',
  removeGo: (name: string) => `Remove ${name}`,
  removeLastTitle: (name: string) => `Remove ${name}, the last one?`,
  removeLastGo: (name: string) => `Remove ${name} anyway`,
  removed: (name: string, late: readonly string[]) => `${name} was removed.${lateText(late)}`
} as const

export const COPY = { copy: 'Copy', copied: 'Copied', selected: 'Selected' } as const

export const FLEET = {
  elsewhere: 'Servers of other nodes',
  here: 'this node',
  columns: { users: 'Users', servers: 'Servers', version: 'Version' },
  draining: (userCount: number) => userCount === 0
    ? 'Empty, safe to stop'
    : `Draining, ${users(userCount)} left`,
  drainLabel: (node: string) => `Drain node ${node}…`,
  readyLabel: (node: string) => `Make ready node ${node}`,
  drainTitle: (node: string) => `Drain the node ${node}?`,
  drainWhat: (userCount: number) => userCount === 0
    ? 'Its servers get no new visitors. Nobody is on them now.'
    : `Its servers keep their ${users(userCount)} and get no new ones.`,
  drainKept: 'Servers in maintenance stay so.',
  drainGo: (node: string, minutes: number | undefined) =>
    minutes === 0 ? `Drain node ${node} and move everybody` : `Drain node ${node}`,
  lastTitle: (node: string) => `Drain ${node}, the last one?`,
  lastWhat: 'No other node has a server that takes visitors. Until one has, new visitors see an error page (503).',
  lastGo: (node: string) => `Drain node ${node} anyway`,
  drained: (node: string) => `The node ${node} is draining.`,
  madeReady: (node: string) => `The node ${node} gets new visitors again.`,
  state: (state: 'here' | 'up' | 'away' | 'unknown', agoMs: number, sinceMs: number) => ({
    here: `Up for ${duration(agoMs)}`,
    up: `Up for ${duration(agoMs)}`,
    away: `Away since ${clock(sinceMs)}`,
    unknown: `Not known since ${clock(sinceMs)}`
  })[state],
  lastHeard: (value: number) => `${count(value)} before`,
  whole: (userCount: number, there: number, nodeCount: number) => there === nodeCount
    ? `${users(userCount)} on ${nodeCount === 1 ? '1 node' : `${count(nodeCount)} nodes`}`
    : `${users(userCount)} on ${count(there)} of ${count(nodeCount)} nodes`,
  more: 'Not all servers of other nodes are shown: look at the console of their node.',
  answered: (asked: number, answered: number) => `${count(answered)} of ${count(asked)} nodes answered`,
  missing: (nodes: readonly string[]) =>
    `Users of ${listed(nodes)} are not listed: ${nodes.length === 1 ? 'it does' : 'they do'} not answer.`,
  ofNode: (node: string) => `all of ${node}`,
  allNodes: 'All nodes',
  chartsOf: (node: string, isHere: boolean) => isHere ? `${node}, this node` : node,
  pastMissing: (nodes: readonly string[]) =>
    `What ${listed(nodes)} had before is not in the charts: ${nodes.length === 1 ? 'it does' : 'they do'} not answer.`,
  noHistory: (node: string) => `${node} does not answer: the charts are of all nodes.`
} as const

export const USERS = {
  select: (id: string) => `Select ${id}`,
  noId: 'no id',
  found: (matched: number, nodes?: { readonly asked: number, readonly answered: number }) =>
    nodes === undefined ? users(matched) : `${users(matched)}, ${FLEET.answered(nodes.asked, nodes.answered)}`,
  range: (first: number, last: number, matched: number) => matched === 0
    ? ''
    : `${first === last ? `Row ${count(first)}` : `Rows ${count(first)} to ${count(last)}`} of ${count(matched)}.`,
  showArrivals: (value: number, isMore: boolean) =>
    `Show ${count(value)}${isMore ? ' or more' : ''} new ${value === 1 && !isMore ? 'user' : 'users'}`,
  selected: (value: number, isMost: boolean) =>
    `${count(value)} selected${isMost ? ', the most at once' : ''}`,
  may: (canDisconnect: boolean) => canDisconnect ? 'Administrator' : 'Viewer',
  nobodyTitle: (search: string, server: string) => search === ''
    ? server === '' ? 'No users yet' : `Nobody is on ${server}`
    : `Nobody${server === '' ? '' : ` on ${server}`} matches “${search}”`,
  nobodyText: (search: string, server: string) => search === ''
    ? server === ''
      ? 'Open the router’s address in another browser, or send test visitors from a terminal:'
      : 'There may be users on the other servers.'
    : 'Search looks at the start of an id or address, among people who are here now. ' +
      'Somebody who was denied is under Denied.',
  disconnectTitle: (value: number) => `Disconnect ${users(value)}?`,
  disconnectWhat: 'They are removed now, and can come back at once.',
  disconnectGo: (value: number) => `Disconnect ${users(value)}`,
  disconnectHappens: 'Their open connections are closed once the current reply is sent.',
  disconnectBack: 'If they come back, the router sends them to a server like any visitor.',
  disconnectWarning: 'To keep them out, deny them instead.',
  disconnecting: (value: number) => `Disconnecting ${users(value)}`,
  disconnected: (value: number) => `${users(value)} disconnected.`
} as const

export const DENIED = {
  title: (value: number) => `Deny ${users(value)}?`,
  what: 'They are disconnected now and refused by the router and every server.',
  targetTitle: 'Deny an address?',
  targetWhat: 'Everybody from there is disconnected now and refused by the router and every server.',
  /** A user without an id is known by the address. */
  networkTitle: (network: string) => `Deny ${network}?`,
  reachTitle: (address: string, value: number) => `Deny ${address} and ${users(value)}?`,
  reached: (value: number) => value === 0
    ? 'No counted users come from there now.'
    : `${users(value)} ${value === 1 ? 'comes' : 'come'} from there now and would be disconnected.`,
  byIds: (ids: number, addressesOnly: number) => ids === 0
    ? addressesOnly === 1 ? 'The address' : 'Their addresses'
    : `${ids === 1 && addressesOnly === 0 ? 'The id' : 'Their ids'}` +
      (addressesOnly === 0 ? '' : `, and the address of ${count(addressesOnly)} without an id`),
  byIdsHint: 'Easy to get around: clearing cookies gives a new id.',
  byAddresses: (ids: number, addresses: number, only: string) => addresses === 1
    ? `${ids === 1 ? 'The id' : 'Their ids'} and the last known address, ${only}`
    : `Their ids and their ${count(addresses)} last known addresses`,
  byRanges: (ids: number, ranges: number, only: string) => {
    const what = ranges === 1 ? `the whole range ${only}` : `the ${count(ranges)} ranges around their addresses`
    if (ids === 0) return `${what[0]!.toUpperCase()}${what.slice(1)}`
    return `${ids === 1 ? 'The id' : 'Their ids'} and ${what}`
  },
  sharedHint: 'Everybody else from there is refused too.',
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
    ? 'They are refused everywhere until somebody allows them again.'
    : `They are refused everywhere until ${untilText(nowMs + minutes * MINUTE_MS, nowMs)}.`,
  undoHappens: 'You can undo this for 10 seconds, and allow them again at any time under Denied.',
  ownTitle: (address: string) => `Deny ${address}, your own address?`,
  ownWhat: 'You are using this address now. You could still use the console, but not visit the sites.',
  ownGo: (address: string) => `Deny ${address} anyway`,
  denying: (value: number) => `Denying ${users(value)}`,
  done: (value: number, minutes: number | undefined) =>
    `${users(value)} denied ${minutesText(minutes)}.`,
  targetDone: (target: string, minutes: number | undefined) =>
    `${target} denied ${minutesText(minutes)}.`,
  entries: (value: number) => value === 1 ? '1 entry' : `${count(value)} entries`,
  firstOf: (shown: number, value: number) =>
    `Newest ${count(shown)} of ${count(value)} entries; search finds the others`,
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
  nobodyWhatToDo: 'Everyone may visit. To refuse somebody, select them under Users, or deny an address or a range (CIDR) here.',
  noMatchTitle: (search: string) => `Nothing matches “${search}”`,
  noMatchText: 'Search looks at ids, addresses, reasons and who denied them.'
} as const

export const AUDIT = {
  /** The target stands where the dots are, or else behind. */
  actions: {
    login: 'logged in',
    'login-failed': 'failed to log in',
    logout: 'logged out',
    'password-changed': 'changed the password of',
    'session-ended': 'ended a session from',
    'sessions-ended': 'ended the sessions of',
    'all-sessions-ended': 'ended the sessions of everybody',
    'token-made': 'made the token',
    'token-revoked': 'revoked the token',
    'account-added': 'added the account',
    'account-removed': 'removed the account',
    'permission-changed': 'changed the permission of',
    disconnect: 'disconnected',
    'disconnect-and-deny': 'disconnected and denied',
    deny: 'denied',
    allow: 'allowed',
    drain: 'started draining',
    ready: 'made … ready',
    'drain-node': 'started draining the node',
    'ready-node': 'made the node … ready',
    restart: 'restarted',
    'server-added': 'added the server',
    'server-changed': 'changed the server',
    'server-removed': 'removed the server'
  } as Readonly<Record<string, string>>,
  terms: minutesText,
  moved: (minutes: number) => minutes === 0
    ? 'and moved everybody'
    : `and moves everybody after ${duration(minutes * MINUTE_MS)}`,
  reached: (value: number) => value === 0 ? 'nobody was there' : `${users(value)} removed`,
  and: 'and',
  attempts: (value: number, hasMoreNames: boolean) =>
    `${count(value)} times${hasMoreNames ? ', under these and other names' : ''}`,
  forScopes: (scopes: readonly string[]) => `for ${listed(scopes)}`,
  byToken: 'by the token',
  at: (url: string) => `at ${url}`,
  withPermission: (permission: number) => `with permission ${permission}`,
  fromTo: (from: number, to: number) => `from ${from} to ${to}`,
  kept: (oldest: string, entriesMax: number) =>
    `Oldest: ${oldest}. The newest ${count(entriesMax)} are kept.`,
  found: (value: number, isMore: boolean) => isMore
    ? `Newest ${count(value)} that match`
    : value === 1 ? '1 entry matches' : `${count(value)} entries match`,
  nothingTitle: 'No entries yet',
  nothingText: 'Logins, disconnects, denials and drains are recorded here, with who did them.',
  noMatchTitle: (search: string) => `Nothing matches “${search}”`,
  noMatchText: 'Search looks at each line as it is shown here: who did what to whom, why and from where.',
  command: (username: string, permission: number) =>
    `npm run account -- permission '${username.replaceAll("'", "'\\''")}' ${permission}`
} as const

export const ACCOUNT = {
  on: (browser: string, system: string) => `${browser} on ${system}`,
  unnamed: 'Unknown browser',
  may: (permission: number, canDisconnect: boolean) => canDisconnect
    ? `Administrator: can view, disconnect and deny (permission ${permission})`
    : `Viewer: can view (permission ${permission})`,
  beforeChange: 'Your other sessions end when it changes.',
  changed: 'Your password was changed. Your other sessions have ended.',
  thisOne: 'this session',
  end: 'End',
  endLabel: (browser: string, address: string) => `End the session of ${browser}, ${address}`,
  ended: (browser: string) => `The session of ${browser} has ended.`
} as const

/** What a token may; whoever makes one reads the longer words in the form. */
const SCOPE_WORDS: Readonly<Record<string, string>> = {
  view: 'View', report: 'Report', drain: 'Drain', disconnect: 'Disconnect'
}

export const TOKENS = {
  scope: (scope: string) => SCOPE_WORDS[scope] ?? scope,
  notInForce: (maker: string) => `Not in force: ${maker} may no longer do it`,
  chooseOne: 'Choose at least one thing that it may do.',
  madeText: (name: string, expiresMs: number, nowMs: number) =>
    `This is the token ${name}, valid until ${date(expiresMs, nowMs, 'long')}. Copy it now: it is not shown again.`,
  expires: (atMs: number, nowMs: number) =>
    atMs <= nowMs ? `Expired ${date(atMs, nowMs, 'short')}` : date(atMs, nowMs, 'short'),
  expiresSoon: (atMs: number, nowMs: number) => `Expires in ${duration(atMs - nowMs)}`,
  madeBy: 'Made by',
  validUntil: 'Valid until',
  lastUsed: 'Last used',
  neverUsed: 'Never',
  revoke: 'Revoke…',
  revokeLabel: (name: string) => `Revoke ${name}…`,
  revokeTitle: (name: string) => `Revoke the token ${name}?`,
  revokeWhat: 'Whatever uses it is refused from its next request on.',
  revokeUsed: (used: string, address: string) => `It was used last ${used}, from ${address}.`,
  revokeUnused: 'It was never used.',
  revokeFinal: 'This cannot be undone; a new token would have to take its place.',
  revokeGo: (name: string) => `Revoke ${name}`,
  revoked: (name: string) => `The token ${name} is revoked.`
} as const

export const RESULT = {
  progress: (done: number, total: number) => `${count(done)} of ${count(total)}`,
  undo: 'Undo',
  left: (seconds: number) => `${seconds} s`,
  close: 'Close'
} as const

export const FAILURES = {
  unreachable: 'The monitor does not answer. Only what is shown here was changed.',
  partly: (done: number, total: number, why: string) =>
    done === 0 ? why : `${count(done)} of ${count(total)} done. ${why}`
} as const
