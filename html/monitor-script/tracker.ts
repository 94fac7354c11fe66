/** `/tracker.js`, the console: puts the parts together and passes the news of the servers on. */
import { Actions, type Outcome } from './actions.ts'
import { Api } from './api.ts'
import { AuditView, type AuditAnswer } from './audit-view.ts'
import { DeniedView, type Denied } from './denied-view.ts'
import { openDialog } from './dialog.ts'
import { find, setText } from './dom.ts'
import { Live } from './live.ts'
import { LiveView } from './live-view.ts'
import { startNavigation, type View } from './navigation.ts'
import { OverviewView } from './overview-view.ts'
import {
  denyQuestion, denyTargetQuestion, disconnectQuestion, drainQuestion, type Question, type Choice
} from './questions.ts'
import { announce, sayDone, sayFailed, sayProgress } from './result.ts'
import { ServersView } from './servers-view.ts'
import { countOthers } from './sharing.ts'
import { changedServers, type Stats } from './stats.ts'
import { count, NOTICES, USERS } from './texts.ts'
import { UsersView } from './users-view.ts'
import type { UsersAnswer } from './users-page.ts'

interface UserInfo {
  readonly username: string
  readonly can_disconnect: boolean
}

const TICK_MS = 1000
const LOOK = '/stats?limit=0'

const api = new Api({
  fetch: (path, init) => fetch(path, init),
  leaveFor: page => { location.assign(page) }
})
const ask = openDialog(reach => countOthers(reach, { get: path => api.get(path) }))
const actions = new Actions({
  post: (path, body) => api.post(path, body), ask, onProgress: sayProgress
})

const liveView = new LiveView(Date.now())
const overview = new OverviewView()
const servers = new ServersView({
  drain: ({ port, active_users: activeUsers }) => {
    void askAndAct(drainQuestion(port, activeUsers), () => actions.drain(port))
  },
  makeReady: ({ port }) => { void act(actions.makeReady(port)) }
})
const usersView = new UsersView({
  get: path => api.get<UsersAnswer>(path),
  disconnect: users => {
    void askAndAct(disconnectQuestion(users), choice => actions.disconnect(users, choice))
  },
  deny: users => {
    void askAndAct(denyQuestion(users, Date.now()), choice => actions.deny(users, choice))
  }
})
const deniedView = new DeniedView({
  get: path => api.get<{ denied: readonly Denied[] }>(path),
  allow: denied => { void act(actions.allow(denied)) },
  denyTarget: () => {
    void askAndAct(denyTargetQuestion(Date.now()), choice => actions.denyTarget(choice))
  }
})
const auditView = new AuditView({ get: path => api.get<AuditAnswer>(path) })

let shownView: View = 'overview'
let lastStats: Stats | undefined

const live = new Live({
  openStream: () => new EventSource('/events'),
  look: async () => {
    const answer = await api.get<Stats>(LOOK)
    // Logged in, but not allowed to view any more: the page that says so is here.
    if (!answer.isOk && answer.error === 'forbidden') location.reload()
    return answer
  },
  schedule: (action, delayMs) => {
    const timer = setTimeout(action, delayMs)
    return () => { clearTimeout(timer) }
  },
  random: Math.random,
  onStats: showStats,
  onState: state => { liveView.show(state, Date.now()) }
})

startNavigation(view => {
  shownView = view
  usersView.setShown(view === 'users')
  deniedView.setShown(view === 'denied')
  if (view === 'audit') void auditView.load()
})
find('try-now').addEventListener('click', () => { live.tryNow() })
addEventListener('online', () => { live.tryNow() })
setInterval(() => {
  liveView.tick(Date.now())
  usersView.tick(Date.now())
  deniedView.tick(Date.now())
}, TICK_MS)
live.start()
void showWho()

function showStats (stats: Stats): void {
  const nowMs = Date.now()
  liveView.hear(nowMs)
  overview.show(stats)
  servers.show(stats, nowMs)
  usersView.hear(stats, nowMs)
  deniedView.hear(stats.denied_users)
  setText(find('nav-users'), count(stats.total_users))
  setText(find('nav-denied'), count(stats.denied_users))
  const changes = changedServers(lastStats, stats)
  if (changes.length > 0) {
    announce(changes.map(({ port, state }) => NOTICES.stateChanged(port, state)).join(' '))
  }
  lastStats = stats
}

/** A viewer sees no buttons that they may not use; the monitor would refuse them anyway. */
async function showWho (): Promise<void> {
  const answer = await api.get<UserInfo>('/user-info')
  if (!answer.isOk) return
  const { username, can_disconnect: canDisconnect } = answer.body
  setText(find('me-name'), username)
  setText(find('me-may'), USERS.may(canDisconnect))
  if (!canDisconnect) return
  for (const part of document.querySelectorAll<HTMLElement>('.operator')) part.hidden = false
  servers.allowActions()
  usersView.allowActions()
  deniedView.allowActions()
}

async function askAndAct (
  question: Question, action: (choice: Choice) => Promise<Outcome>
): Promise<void> {
  const choice = await ask(question)
  if (choice !== undefined) await act(action(choice))
}

async function act (action: Promise<Outcome>): Promise<void> {
  const { isDone, text, denied = [] } = await action
  const undo = denied.length === 0 ? undefined : () => { void act(actions.undo(denied)) }
  if (isDone) {
    sayDone(text, undo)
    usersView.clearSelection()
  } else {
    sayFailed(text, undo)
  }
  if (shownView === 'users') await usersView.load()
  if (shownView === 'denied') await deniedView.load()
}
