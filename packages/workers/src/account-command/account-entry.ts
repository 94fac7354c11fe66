/** Where Node begins: no signal opens its debugger on a process that is told passwords. */
import './ignore-signals.ts'
import './main.ts'
