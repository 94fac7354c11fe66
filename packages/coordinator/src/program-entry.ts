/**
 * Where Node begins: signals are listened for before the rest of the program is loaded, which takes
 * some 20 ms. The program itself is main.ts.
 */
import './keep-signals.ts'
import './main.ts'
