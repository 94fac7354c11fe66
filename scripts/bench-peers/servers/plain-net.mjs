/**
 * What Node's sockets do when nothing is read but the end of a head, and one buffer made beforehand
 * is written: PORT FOLDER. No HTTP server; the limit of what can be built on node:net as it is.
 */
import { createServer } from 'node:net'
import { repliesOf } from './made-beforehand.mjs'

const [, , port, folder] = process.argv
const replyTo = repliesOf(folder)
const END = Buffer.from('\r\n\r\n')

const server = createServer({ noDelay: true }, socket => {
  socket.on('error', () => {})
  socket.on('data', head => {
    if (!head.subarray(-4).equals(END)) return
    const { reply, isLast } = replyTo(head)
    if (isLast) socket.end(reply)
    else socket.write(reply)
  })
})
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
