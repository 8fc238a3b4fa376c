// Kills the emulator's processes when the emulator is gone, even if it was killed with SIGKILL and could clean up
// nothing. One shell in its own session reads the ids of process groups from a pipe; when the pipe breaks, it kills
// those that are left. The processes need not cooperate.
import { spawn } from "node:child_process";

const script = `
groups=" "
while read -r verb id; do
  case $verb in
    +) groups="$groups$id " ;;
    -) groups="\${groups%% $id *} \${groups#* $id }" ;;
  esac
done
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done
`;

/** Watches process groups on behalf of the emulator. */
export interface Reaper {
  /** Kills this process group when the emulator ends, however it ends. */
  readonly add: (group: number) => void;
  /** Forgets a group that has ended, since the system may give its id to another process. */
  readonly remove: (group: number) => void;
  /** Kills the groups that are left and ends. */
  readonly close: () => void;
}

/** Starts a reaper: one sleeping shell, however many replicas there are. */
export function startReaper(): Reaper {
  const shell = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: process.env["PATH"] },
  });
  shell.stdin.on("error", () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return {
    add: (group) => void shell.stdin.write(`+ ${group}\n`),
    remove: (group) => void shell.stdin.write(`- ${group}\n`),
    close: () => void shell.stdin.end(),
  };
}
