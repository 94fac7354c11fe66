/** One case on one connection to the running program: what came back of it, told in a line. */
import type { HttpCase } from '../../packages/shared/test/http/cases/http-case.ts'
import { RawClient, type RawReply } from '../../packages/shared/test/http/fixtures/raw-client.ts'

const LAST = 'GET /last HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n'
/** Between two pieces, so that most of them are read one by one; nothing depends on it. */
const GAP_MS = 1

/**
 * Sends the pieces and reads what comes: `200 404 closed`. On a connection that is to be kept one
 * more request follows, and must be answered: `200, then 404 closed`.
 */
export async function exchange (
  port: number, pieces: readonly string[], given: HttpCase
): Promise<string> {
  const client = await RawClient.connect(port)
  const sending = sendPieces(client, pieces)
  try {
    const replies = await readReplies(client, given)
    await sending
    if (given.isKept) client.send(LAST)
    const last = given.isKept ? await client.reply() : undefined
    const rest = await client.end()
    // Who goes on sending after a refusal may see a reset, in good time: it has been read.
    const error = pieces.length === 1 ? client.error : undefined
    return [
      replies.map(({ status }) => status).join(' '),
      given.isKept ? `, then ${last?.status} closed` : ' closed',
      rest === '' ? '' : ` after ${JSON.stringify(rest.slice(0, 80))}`,
      error === undefined ? '' : ` by ${error.message}`,
      ...[...replies, ...last === undefined ? [] : [last]].flatMap(flawsOf),
      (last ?? replies.at(-1))?.headers['connection'] === 'close' ? '' : ', not said to close'
    ].join('')
  } catch (error) {
    return (error as Error).message.slice(0, 300)
  } finally {
    client.close()
  }
}

async function sendPieces (client: RawClient, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (!client.socket.writable) return
    client.send(piece)
    if (pieces.length > 1) await new Promise(resolve => setTimeout(resolve, GAP_MS))
  }
}

/** As many as there should be, or fewer. */
async function readReplies (client: RawClient, given: HttpCase): Promise<RawReply[]> {
  const replies: RawReply[] = []
  while (replies.length < given.statuses.length) {
    const reply = await client.reply(given.isHead)
    if (reply === undefined) break
    replies.push(reply)
  }
  return replies
}

const DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/
/** RFC 9110 section 15: what a status comes with. */
const NEEDED: Readonly<Record<number, string>> = {
  301: 'location',
  302: 'location',
  303: 'location',
  401: 'www-authenticate',
  405: 'allow',
  416: 'content-range',
  429: 'retry-after',
  503: 'retry-after'
}

/** What every final reply must have and this one has not, or the other way round. */
export function flawsOf ({ status, headers }: RawReply): string[] {
  if (status < 200) return []
  const flaws: string[] = []
  if (!DATE.test(headers['date'] ?? '')) flaws.push(', no Date')
  const length = headers['content-length']
  // RFC 9110 section 8.6.
  const isBare = status === 204 || status === 304
  if (isBare !== (length === undefined)) flaws.push(`, a length of ${length}`)
  const needed = NEEDED[status]
  if (needed !== undefined && headers[needed] === undefined) flaws.push(`, no ${needed}`)
  return flaws
}
