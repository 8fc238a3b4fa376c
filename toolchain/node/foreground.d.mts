export function runInForeground(
  command: string,
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
): Promise<number>;
