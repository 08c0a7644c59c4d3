import { join, relative } from 'node:path'

const packageTitle = '> nx run '
/** vitest's count of what was thrown outside of any test, as when a process of it ended. */
const outsideOfTests = /^ +Errors +(\d+)/m
/** Which file's run it was thrown in, where vitest knows. */
const originOfError = /^This error originated in "(\S+)" test file/gm

/** Test files of one package that failed. */
export interface FailedFiles {
  /** The package's folder. */
  readonly root: string
  /** Paths in it. */
  readonly files: readonly string[]
  /** `FILE > TEST` for each test, or the file alone where none of it could run. */
  readonly tests: readonly string[]
}

/** Reads what Nx prints of the tests of all packages, line by line, without colours. */
export function createTestLog() {
  const sections: string[] = []
  /** What Nx lists at its end, once it has begun to. */
  let failedTasks: string[] | undefined
  const failed = () =>
    sections.filter((section) => section.includes(' FAIL ') || outsideOfTests.test(section))

  return {
    line(text: string): void {
      if (text.startsWith(packageTitle)) sections.push('')
      if (text === 'Failed tasks:') failedTasks = []
      const [, failedTask] = /^- (\S+:test)$/.exec(text) ?? []
      if (failedTask) failedTasks?.push(failedTask)
      const last = sections.pop()
      if (last !== undefined) sections.push(`${last}${text}\n`)
    },

    /** What failed, package by package. */
    failures(): { title: string; text: string }[] {
      return failed().map((section) => {
        const from = section.search(/^.*(Failed (Suites|Tests)|Unhandled Errors) .*$/m)
        return { title: titleOf(section), text: section.slice(Math.max(0, from)) }
      })
    },

    /** Null when something failed that no file stands for: asking files again would hide it. */
    failedFiles(): FailedFiles[] | null {
      const tasks = new Set(failed().map(taskOf))
      if (!failedTasks?.length || failedTasks.some((task) => !tasks.has(task))) return null
      const all = failed().map(failedFilesOf)
      return all.every((one) => one !== null) ? all : null
    },
  }
}

function titleOf(section: string): string {
  return section.split('\n', 1)[0] ?? ''
}

/** `PACKAGE:test` */
function taskOf(section: string): string {
  return titleOf(section).slice(packageTitle.length).split(' ', 1)[0] ?? ''
}

function failedFilesOf(section: string): FailedFiles | null {
  const [, root] = /^ RUN +v\S+ +(.+?) *$/m.exec(section) ?? []
  const origins = [...section.matchAll(originOfError)].map(([, file = '']) => file)
  const errors = Number(outsideOfTests.exec(section)?.[1] ?? 0)
  if (!root || origins.length < errors) return null
  const found = [...section.matchAll(/^ FAIL +(\S+)(?: > (.+?)| \[.+\])? *$/gm)]
  const nameOf = (file = '', test?: string) => (test === undefined ? file : `${file} > ${test}`)
  return {
    root,
    files: [...new Set([...found.map(([, file = '']) => file), ...origins])],
    tests: [
      ...new Set([
        ...found.map(([, file, test]) => nameOf(file, test)),
        ...origins.map((file) => nameOf(file, 'an error outside of its tests')),
      ]),
    ],
  }
}

/** The tests with their paths in the repository. */
export function namesIn(repository: string, { root, tests }: FailedFiles): string[] {
  return tests.map((test) => join(relative(repository, root), test))
}
