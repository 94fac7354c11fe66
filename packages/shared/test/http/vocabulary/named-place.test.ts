import t from 'tap'
import { formatClient } from '@usher/shared/client.ts'
import {
  namedPlace, namesPlace, withoutPlace, withPlace
} from '@usher/shared/http/vocabulary/named-place.ts'
import { clientNumber } from '../../memory/test-table.ts'

const ANN = clientNumber(1)
const ID = formatClient(ANN)

t.test('named place: it is a part of the query, and nothing else of that changes', async t => {
  const cases: ReadonlyArray<[query: string, without: string]> = [
    ['', ''],
    ['?a=%2F&b', '?a=%2F&b'],
    ['?my_usher_place=1', '?my_usher_place=1'],
    [`?usher_place=${ID}`, ''],
    ['?usher_place=none', ''],
    ['?a&usher_place=&b', '?a&b'],
    ['?usher_place=x&a&usher_place=y', '?a']
  ]
  for (const [query, without] of cases) {
    t.equal(withoutPlace(query), without, query)
    t.equal(namesPlace(query), query !== without, query)
    const before = without === '' ? '?' : `${without}&`
    t.equal(withPlace(query, undefined), `${before}usher_place=none`.replace('?&', '?'))
    t.equal(withPlace(query, ANN), `${before}usher_place=${ID}`.replace('?&', '?'))
    t.same(namedPlace(withPlace(query, ANN)), ANN)
  }
})

t.test('named place: what is no id names none', async t => {
  for (const query of ['', '?a', '?usher_place=', '?usher_place=none', '?usher_place=x', `?usher_place=${ID}0`]) {
    t.equal(namedPlace(query), undefined, query)
  }
})
