type Environment = { readonly [name: string]: string }

/** What was made of a Dockerfile. */
export interface Deployment {
  /** Runs the command of a stage to its end. */
  run(stage: string, environment: Environment): Promise<void>
  /** Starts the command of the last stage. */
  start(environment: Environment): Promise<RunningApp>
  /** The files of the last stage in which a text stands. */
  filesWith(text: string): Promise<string[]>
  remove(): Promise<void>
}

export interface RunningApp {
  /** `healthy`, by the HEALTHCHECK. */
  health(): Promise<string>
  /** The name of the user that it runs as. */
  user(): Promise<string>
  /** Tells it to end by SIGTERM; its exit code. */
  stop(): Promise<number>
}

export type { Environment }
