import { readFileSync } from 'node:fs'

const read = (name: string) => readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8')

/** The page as it is served. The build puts these texts into the program: there, no file is read. */
export const assets = {
  html: read('index.html'),
  css: read('page.css'),
  js: read('page.js'),
}
