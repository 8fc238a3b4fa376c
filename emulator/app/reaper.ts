// Sees to it that no process of ours outlives the stand-in, even when that is killed with SIGKILL and can clean up nothing.
// One shell in a session of its own reads the ids of our process groups from a pipe; when the pipe breaks it kills those left.
// It knows nothing of what runs in them, and they need not cooperate.
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

export interface Reaper {
  /** Has this process group killed when the stand-in goes, however it goes. */
  readonly add: (group: number) => void;
  /** Forgets a group that has ended by itself, since its id may be given to somebody else. */
  readonly remove: (group: number) => void;
  /** Kills what is left and ends. */
  readonly close: () => void;
}

/** Starts the watch. It costs one sleeping shell, whatever the number of replicas. */
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
