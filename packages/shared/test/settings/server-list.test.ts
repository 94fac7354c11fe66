import t from 'tap'
import { followServers, replaceServers } from '@usher/shared/settings/server-list.ts'
import type { Slot } from '@usher/shared/settings/servers.ts'
import { testExternal, testServers } from './test-servers.ts'

t.test('server list: is replaced in place, and who follows it is told', async t => {
  const list: readonly Slot[] = [...testServers([8000])]
  const other: readonly Slot[] = [...testServers([8001])]
  const seen: string[] = []
  const note = (what: string) => (): void => {
    seen.push(`${what} ${list.map(({ name }) => name).join('+')}`)
  }
  followServers(list, note('a'))
  followServers(list, note('b'))
  followServers(other, note('other'))
  t.strictSame(seen.splice(0), ['a 8000', 'b 8000', 'other 8000'], 'at once')
  replaceServers(list, [...list, ...testExternal(1, ['shop'])])
  t.strictSame(seen.splice(0), ['a 8000+shop', 'b 8000+shop'])
  replaceServers(list, [...list])
  t.strictSame(seen.splice(0), ['a 8000+shop', 'b 8000+shop'], 'by what was made of itself')
})
