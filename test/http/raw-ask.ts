/** One request on a connection of its own, written as it stands, and its answer. */
import { RawClient, type RawReply } from '../../packages/shared/test/http/fixtures/raw-client.ts'

/** @param fields lines with their line ends, besides Host; a body may follow an empty line */
export async function rawAsk (
  port: number, method: string, path: string, fields = ''
): Promise<RawReply> {
  const client = await RawClient.connect(port)
  const [lines = '', body = ''] = fields.split(/(?<=\r\n)\r\n/)
  const head = `${method} ${path} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n`
  client.send(`${head}${lines}\r\n${body}`)
  const reply = await client.reply(method === 'HEAD')
  const rest = await client.end()
  client.close()
  if (reply === undefined || rest !== '') throw new Error(`${method} ${path}: ${rest}`)
  return reply
}

/** Fields that differ from one answer to the next, whatever is asked. */
const CHANGING = new Set(['date', 'x-heartbeat-interval', 'location', 'set-cookie'])

/** The fields of an answer that HEAD and GET must have in common. */
export function told ({ headers }: RawReply): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CHANGING.has(name)))
}
