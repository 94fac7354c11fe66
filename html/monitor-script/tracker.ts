/** `/tracker.js`, the console: puts the parts together and passes the news of the servers on. */
import 'uplot/dist/uPlot.min.css'
import type { UserInfo } from '@usher/shared/api/account.ts'
import type { Audit } from '@usher/shared/api/audit.ts'
import type { Denied } from '@usher/shared/api/denied.ts'
import type { History } from '@usher/shared/api/history.ts'
import type { SessionList } from '@usher/shared/api/sessions.ts'
import type { ServerList } from '@usher/shared/api/server-entries.ts'
import type { Stats } from '@usher/shared/api/stats.ts'
import type { TokenList } from '@usher/shared/api/tokens.ts'
import type { Reach, Users } from '@usher/shared/api/users.ts'
import { AccountView } from './account/account-view.ts'
import { TokensView } from './account/tokens-view.ts'
import { Actions, type Outcome } from './actions/action-requests.ts'
import { Api, type Answer } from './kit/api.ts'
import { AuditView } from './records/audit-view.ts'
import { ChartsView } from './charts/charts-view.ts'
import { DeniedView } from './records/denied-view.ts'
import { openDialog } from './actions/dialog.ts'
import { find, setText } from './kit/dom.ts'
import type { LiveState } from './live/live.ts'
import { LiveView } from './live/live-view.ts'
import { SharedLive } from './live/shared-live.ts'
import { openTabChannel } from './live/tab-channel.ts'
import { startNavigation, type View } from './navigation.ts'
import { OverviewView } from './servers/overview-view.ts'
import {
  denyNetworkQuestion, denyQuestion, denyTargetQuestion, disconnectQuestion, drainNodeQuestion,
  drainQuestion, maintainQuestion, removeServerQuestion, restartQuestion, revokeTokenQuestion,
  type Choice, type Question
} from './actions/questions.ts'
import { announce, sayDone, sayFailed, sayProgress } from './kit/result.ts'
import type { ServerActions } from './servers/server-buttons.ts'
import { ElsewhereView } from './servers/elsewhere-view.ts'
import { ServersView } from './servers/servers-view.ts'
import { countOthers, findReach } from './actions/sharing.ts'
import { changedServers, elsewhereNews } from './kit/console-servers.ts'
import { count, FAILURES, NOTICES, USERS } from './kit/texts.ts'
import { times } from './kit/times.ts'
import { UsersView } from './users/users-view.ts'

const TICK_MS = 1000
const LOOK = '/stats?limit=0'

const api = new Api({
  fetch: (path, init) => fetch(path, init),
  leaveFor: page => { location.assign(page) }
})
const ask = openDialog(reach => countOthers(reach, { get: path => api.get(path) }))
const actions = new Actions({
  post: (path, body) => api.post(path, body),
  ask,
  reach: address => findReach(address, { get: path => api.get<Reach>(path) }),
  isInFleet: () => lastStats?.fleet !== undefined,
  onProgress: sayProgress
})

dropEmptyQueryPart()
times.start()
const liveView = new LiveView(Date.now())
const charts = new ChartsView({ get: path => api.get<History>(path) })
const serverActions: ServerActions = {
  drain: server => {
    void askAndAct(drainQuestion(server, Date.now()), choice => actions.drain(server.name, choice))
  },
  maintain: server => {
    void askAndAct(maintainQuestion(server), choice => actions.maintain(server.name, choice))
  },
  makeReady: ({ name }) => { void act(actions.makeReady(name)) },
  restart: ({ name, active_users: activeUsers }) => {
    void askAndAct(restartQuestion(name, activeUsers), () => actions.restart(name))
  }
}
const overview = new OverviewView(serverActions, network => { void denyNetwork(network) })
const servers = new ServersView(serverActions, {
  drainNode: (node, userCount) => {
    void askAndAct(drainNodeQuestion(node, userCount, Date.now()),
      choice => actions.drainNode(node, choice))
  },
  makeNodeReady: node => { void act(actions.makeNodeReady(node)) }
})
const usersView = new UsersView({
  // A row has its box from the beginning: one that came later would miss the first click.
  get: async path => {
    await whoIsKnown
    return await api.get<Users>(path)
  },
  disconnect: users => {
    void askAndAct(disconnectQuestion(users), choice => actions.disconnect(users, choice))
  },
  deny: users => {
    void askAndAct(denyQuestion(users, Date.now()), choice => actions.deny(users, choice))
  }
})
const deniedView = new DeniedView({
  get: path => api.get<Denied>(path),
  allow: denied => { void act(actions.allow(denied)) },
  denyTarget: () => {
    void askAndAct(denyTargetQuestion(Date.now()), choice => actions.denyTarget(choice))
  }
})
const auditView = new AuditView({ get: path => api.get<Audit>(path) })
const accountView = new AccountView({
  get: path => api.get<SessionList>(path),
  post: (path, body) => api.post(path, body),
  sayDone,
  sayFailed: ({ status, message }) => { sayFailed(status === 0 ? FAILURES.unreachable : message) }
})
const tokensView = new TokensView({
  get: path => api.get<TokenList>(path),
  post: (path, body) => api.post(path, body),
  revoke: token => {
    void askAndAct(revokeTokenQuestion(token, Date.now()), () => actions.revokeToken(token))
  }
})

const elsewhereView = new ElsewhereView({
  get: path => api.get<ServerList>(path),
  post: (path, body) => api.post(path, body),
  sayDone,
  remove: name => {
    void askAndAct(removeServerQuestion(name), () => actions.removeServer(name))
  }
})

let shownView: View = 'overview'
let lastStats: Stats | undefined
let isLive = false
let hasBeenLive = false

const live = new SharedLive({
  // The tab that was opened first leads.
  id: `${Date.now()} ${Math.random()}`,
  openChannel: openTabChannel,
  onRefused: () => { void look() },
  openStream: () => new EventSource('/events'),
  look,
  now: () => performance.now(),
  schedule: (action, delayMs) => {
    const timer = setTimeout(action, delayMs)
    return () => { clearTimeout(timer) }
  },
  random: Math.random,
  onStats: showStats,
  onState: showState
})

const whoIsKnown = showWho()
startNavigation(view => {
  shownView = view
  usersView.setShown(view === 'users')
  deniedView.setShown(view === 'denied')
  auditView.setShown(view === 'audit')
  accountView.setShown(view === 'account')
  tokensView.setShown(view === 'account')
  elsewhereView.setShown(view === 'servers')
})
find('try-now').addEventListener('click', () => { live.tryNow() })
addEventListener('online', () => { live.tryNow() })
setInterval(() => {
  liveView.tick(Date.now())
  if (isLive) passTime(Date.now())
  usersView.tick(Date.now())
  deniedView.tick(Date.now())
  accountView.tick(Date.now())
  tokensView.tick(Date.now())
}, TICK_MS)
live.enter()
addEventListener('pagehide', () => { live.leave() })
addEventListener('pageshow', ({ persisted }) => { if (persisted) live.enter() })
document.addEventListener('freeze', () => { live.leave() })
document.addEventListener('resume', () => { live.enter() })
void loadCharts()

async function look (): Promise<Answer<Stats>> {
  const answer = await api.get<Stats>(LOOK)
  // Logged in, but not allowed to view any more: the page that says so is here.
  if (!answer.isOk && answer.error === 'forbidden') location.reload()
  return answer
}

function showStats (stats: Stats): void {
  const nowMs = Date.now()
  liveView.hear(nowMs)
  charts.hear(stats, nowMs)
  overview.show(stats, charts.recent, nowMs)
  servers.show(stats, nowMs)
  elsewhereView.hear(elsewhereNews(stats))
  usersView.hear(stats, nowMs)
  deniedView.hear(stats.denied_users)
  setText(find('nav-users'), count(stats.fleet?.total_users ?? stats.total_users))
  setText(find('nav-denied'), count(stats.denied_users))
  const changes = changedServers(lastStats, stats)
  if (changes.length > 0) {
    announce(changes.map(({ name, state }) => NOTICES.stateChanged(name, state)).join(' '))
  }
  lastStats = stats
}

/** Nothing new, but later: lines go on, and states last. */
function passTime (nowMs: number): void {
  charts.tick(nowMs)
  if (lastStats !== undefined) overview.show(lastStats, charts.recent, nowMs)
}

async function loadCharts (): Promise<void> {
  await charts.load()
  if (isLive) passTime(Date.now())
}

/** After a break the monitor's history is asked for; what it did not measure is a gap. */
function showState (state: LiveState): void {
  const wasLive = isLive
  isLive = state.kind === 'live'
  liveView.show(state, Date.now())
  if (state.kind === 'stale') overview.showStale()
  if (wasLive && !isLive) charts.interrupt()
  if (!wasLive && isLive && hasBeenLive) void loadCharts()
  hasBeenLive ||= isLive
}

/** A viewer sees no buttons that they may not use; the monitor would refuse them anyway. */
async function showWho (): Promise<void> {
  const answer = await api.get<UserInfo>('/user-info')
  if (!answer.isOk) return
  const { username, can_disconnect: canDisconnect } = answer.body
  setText(find('me-name'), username)
  setText(find('me-may'), USERS.may(canDisconnect))
  accountView.showWho(answer.body)
  auditView.showWho(answer.body)
  if (!canDisconnect) return
  for (const part of document.querySelectorAll<HTMLElement>('.operator')) part.hidden = false
  overview.allowActions()
  servers.allowActions()
  usersView.allowActions()
  deniedView.allowActions()
  tokensView.allowActions()
  elsewhereView.allowActions()
}

/** A link from another site came in by a page that added one, see continue.ts. */
function dropEmptyQueryPart (): void {
  const tidy = location.href.replace(/[?&](?=#|$)/, '')
  if (tidy !== location.href) history.replaceState(null, '', tidy)
}

async function denyNetwork (network: string): Promise<void> {
  const reach = await findReach(network, { get: path => api.get<Reach>(path) })
  await askAndAct(denyNetworkQuestion(network, reach, Date.now()),
    choice => actions.denyKnown({ ...choice, target: network }))
}

async function askAndAct (
  question: Question, action: (choice: Choice) => Promise<Outcome | undefined>
): Promise<void> {
  const choice = await ask(question)
  if (choice !== undefined) await act(action(choice))
}

/** Nothing is said of what was cancelled. */
async function act (action: Promise<Outcome | undefined>): Promise<void> {
  const outcome = await action
  if (outcome === undefined) return
  const { isDone, text, denied = [] } = outcome
  const undo = denied.length === 0 ? undefined : () => { void act(actions.undo(denied)) }
  if (isDone) {
    sayDone(text, undo)
    usersView.clearSelection()
  } else {
    sayFailed(text, undo)
  }
  if (shownView === 'users') await usersView.load()
  if (shownView === 'denied') await deniedView.load()
  if (shownView === 'account') await tokensView.load()
  if (shownView === 'servers') await elsewhereView.load()
}
