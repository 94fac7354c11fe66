import t from 'tap'
import {
  changeOf, fieldOf, healthText, newServerOf, valuesOf, type Values
} from '../../../monitor-script/servers/server-form.ts'

const EMPTY: Values = {
  name: '', url: '', weight: '', capacity: '', path: '', status: '', interval: '', timeout: '', rise: '', fall: ''
}
const NOTHING = { path: null, status: null, interval: null, timeout: null, rise: null, fall: null }

t.test('server form: what is empty is as for all', async t => {
  t.strictSame(newServerOf({ ...EMPTY, name: 'shop', url: 'https://a.example' }), {
    name: 'shop', url: 'https://a.example', weight: null, capacity: null, health: NOTHING
  })
  t.strictSame(changeOf({ ...EMPTY, url: 'https://a.example', weight: '2', interval: '0.5', status: '200' }), {
    url: 'https://a.example', weight: 2, capacity: null, health: { ...NOTHING, interval: 0.5, status: '200' }
  })
})

t.test('server form: shows what is given, and says it back as it was', async t => {
  const health = { ...NOTHING, path: '/up', fall: 9 }
  const values = valuesOf({
    name: 'shop', kind: 'external', source: 'console', url: 'https://a.example', weight: null, capacity: 500, health, in_force: true
  })
  t.strictSame(values, { ...EMPTY, name: 'shop', url: 'https://a.example', capacity: '500', path: '/up', fall: '9' })
  t.strictSame(changeOf(values), { url: 'https://a.example', weight: null, capacity: 500, health })
})

t.test('server form: a refusal stands at the field that it is about', async t => {
  const cases: ReadonlyArray<[message: string, field: string | undefined]> = [
    ['name is "X"; allowed: a name', 'name'], ['url is "x"; allowed: an http', 'url'],
    ['health.path is "x"', 'path'], ['Body/health/rise must be >= 1.', 'rise'],
    ['body/weight must be integer', 'weight'], ['There is a server x already.', undefined], ['', undefined]
  ]
  for (const [message, field] of cases) t.equal(fieldOf(message), field, message)
})

t.test('server form: of the checks only what is not as for all is said', async t => {
  t.equal(healthText(NOTHING), 'As for all')
  t.equal(healthText(null), 'As for all')
  t.equal(healthText({ path: '/up', status: '200', interval: 0.5, timeout: 1, rise: 2, fall: 3 }),
    '/up, every 0.5 s, within 1 s, status 200, up after 2, down after 3')
})
