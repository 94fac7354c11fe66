import t from 'tap'
import {
  refuserOf, ticketOf, withoutTicket, withRefusal, withTicket
} from '@usher/shared/tickets/ticket-query.ts'

const NAME = 'usher_ticket'

t.test('ticket in a query: is read, replaced, taken out, and nothing else changes', t => {
  const cases: ReadonlyArray<[query: string, ticket: string | undefined, without: string]> = [
    ['', undefined, ''],
    ['?a=1', undefined, '?a=1'],
    ['?my_usher_ticket=1&usher_tickets=2&usher_ticket', undefined, '?my_usher_ticket=1&usher_tickets=2&usher_ticket'],
    ['?usher_ticket=a.b.c', 'a.b.c', ''],
    ['?usher_ticket=', '', ''],
    ['?x=%2F&usher_ticket=a.b.c', 'a.b.c', '?x=%2F'],
    ['?usher_ticket=a.b.c&&x', 'a.b.c', '?&x'],
    ['?x&usher_ticket=1&y=usher_ticket=3&usher_ticket=2', '1', '?x&y=usher_ticket=3']
  ]
  for (const [query, ticket, without] of cases) {
    t.equal(ticketOf(query, NAME), ticket, query)
    t.equal(withoutTicket(query, NAME), without, query)
    const replaced = withTicket(query, NAME, 'new')
    t.equal(replaced, `${without === '' ? '?' : `${without}&`}usher_ticket=new`)
    t.equal(ticketOf(replaced, NAME), 'new')
  }
  t.equal(withRefusal('?a', NAME, undefined), '?a&usher_ticket=none')
  t.equal(ticketOf('?t=1', 't'), '1')
  t.end()
})

t.test('ticket in a query: of a fleet\'s server that has refused somebody it has the name', t => {
  const query = withRefusal('?a&usher_ticket=a.b.c', NAME, 'oak/8000')
  t.equal(query, '?a&usher_ticket=none:oak/8000')
  t.equal(refuserOf(ticketOf(query, NAME)), 'oak/8000')
  for (const ticket of [undefined, '', 'none', 'a.b.c', 'none:', 'none:oak', 'none:OAK/8000', 'none:a/b/c', 'none:a/b%0a']) {
    t.equal(refuserOf(ticket), undefined, String(ticket))
  }
  t.end()
})
