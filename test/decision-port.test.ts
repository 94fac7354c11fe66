/** The decision port of the running program: a burst over servers of both kinds, and after it. */
import http from 'node:http'
import t from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import { startCluster, until, Visitor } from './cluster.ts'
import { startElsewhere } from './elsewhere.ts'

const COUNT = 3_000
const PASSWORD = 'correct horse battery'

t.test('decisions: 3,000 at once are spread exactly by weight, and stay', async t => {
  const [three, four] = [await startElsewhere(t), await startElsewhere(t)]
  const cluster = await startCluster(t, {
    ADMIN_PASSWORD: PASSWORD,
    PORTS: '0,0',
    SERVER_NAMES: 'one,two',
    EXTERNAL_SERVERS: `three=${three.url},four=${four.url}`,
    WEIGHTS: '1,1,2,1',
    DECISION_PORT: '0'
  })
  const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
  await until(() => admin.get('/stats'), ({ text }) => text.match(/"state":"up"/g)?.length === 4)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 })
  t.teardown(() => { agent.destroy() })
  const decide = async (visitor: Visitor): Promise<string> => {
    const { status, headers } = await visitor.ask(cluster.decisionPort!, '/decide', { agent })
    if (status !== 200) throw new Error(`answered ${status}`)
    return String(headers['x-usher-server'])
  }
  const visitors = Array.from({ length: COUNT }, () => new Visitor())
  const homes = await Promise.all(visitors.map(decide))
  t.strictSame(['one', 'two', 'three', 'four'].map(name =>
    homes.filter(home => home === name).length), [600, 600, 1200, 600])
  t.equal(new Set(visitors.map(({ cookie }) => cookie)).size, COUNT)
  t.strictSame(await Promise.all(visitors.map(decide)), homes)
})
