/** Choices that are kept, followed and, where nothing is kept, made all the same. */
import t from 'tap'
import { Preference, type PreferencePage } from '../../../monitor-script/kit/preference.ts'

const KEY = 'usher.test'

/** A browser whose storage two tabs may share. */
function testTab (kept: Map<string, string>, refuses = false) {
  const events: string[] = []
  let listener: Parameters<PreferencePage['onStorage']>[0] = () => {}
  let applied: 'system' | 'light' | 'dark' = 'system'
  const preference = new Preference({
    key: KEY,
    choices: ['system', 'light', 'dark'],
    event: 'changed',
    apply: choice => { applied = choice },
    applied: () => applied,
    page: {
      storage: () => {
        if (refuses) throw new DOMException('refused', 'SecurityError')
        return {
          getItem: key => kept.get(key) ?? null,
          setItem: (key, value) => { kept.set(key, value) }
        }
      },
      onStorage: one => { listener = one },
      dispatch: event => { events.push(event) }
    }
  })
  return { preference, events, hear: (key: string | null) => { listener({ key }) } }
}

t.test('preference: what is kept is applied; nothing, or nonsense, is the first choice', async t => {
  for (const [kept, choice] of [['dark', 'dark'], ['system', 'system'], ['constructor', 'system'], ['', 'system']] as const) {
    const { preference } = testTab(new Map([[KEY, kept]]))
    preference.start()
    t.equal(preference.current, choice, kept)
  }
  const { preference, events } = testTab(new Map())
  preference.start()
  t.equal(preference.current, 'system')
  t.strictSame(events, [], 'nothing has changed')
})

t.test('preference: a choice is kept, told once, and must be one', async t => {
  const kept = new Map<string, string>()
  const { preference, events } = testTab(kept)
  preference.start()
  preference.choose('light')
  preference.choose('light')
  preference.choose('purple')
  t.equal(preference.current, 'light')
  t.equal(kept.get(KEY), 'light')
  t.strictSame(events, ['changed'])
})

t.test('preference: other tabs follow, also when everything is cleared', async t => {
  const kept = new Map<string, string>()
  const [here, there] = [testTab(kept), testTab(kept)]
  here.preference.start()
  there.preference.start()
  here.preference.choose('dark')
  there.hear('something else')
  t.equal(there.preference.current, 'system')
  there.hear(KEY)
  t.equal(there.preference.current, 'dark')
  kept.clear()
  there.hear(null)
  t.equal(there.preference.current, 'system')
  t.strictSame(there.events, ['changed', 'changed'])
})

t.test('preference: where storage is refused, a choice holds for the page', async t => {
  const { preference, events, hear } = testTab(new Map(), true)
  preference.start()
  preference.choose('dark')
  hear(KEY)
  t.equal(preference.current, 'dark')
  t.strictSame(events, ['changed'])
})
