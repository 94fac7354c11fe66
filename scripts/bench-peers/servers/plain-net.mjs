/**
 * What Node's sockets do when nothing is read but the end of a head, and one buffer made beforehand
 * is written: PORT FOLDER. No HTTP server; the limit of what can be built on node:net.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const [, , port, folder] = process.argv
const DATE = new Date().toUTCString()
const page = readFileSync(join(folder, 'index.html'))
const PAGE = replies('200 OK',
  `Content-Type: text/html\r\nCache-Control: no-cache\r\nContent-Length: ${page.length}\r\n`, page)
const BEAT = replies('204 No Content', 'X-Active-Users: 1\r\nCache-Control: no-store\r\n')
const AWAY = replies('302 Found',
  'Location: http://127.0.0.1:8000/away\r\nCache-Control: no-store\r\nContent-Length: 0\r\n')
const END = Buffer.from('\r\n\r\n')
const CLOSE = Buffer.from('\r\nConnection: close')
/** GET /away and GET /heartbeat are told by the sixth byte. */
const [A, H] = [0x61, 0x68]

const server = createServer({ noDelay: true }, socket => {
  socket.on('error', () => {})
  socket.on('data', head => {
    if (!head.subarray(-4).equals(END)) return
    const { kept, last } = head[5] === A ? AWAY : head[5] === H ? BEAT : PAGE
    if (head.includes(CLOSE)) socket.end(last)
    else socket.write(kept)
  })
})
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })

function replies (status, fields, body = Buffer.alloc(0)) {
  const reply = connection => Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\n${fields}Date: ${DATE}\r\n${connection}\r\n`), body
  ])
  return { kept: reply(''), last: reply('Connection: close\r\n') }
}
