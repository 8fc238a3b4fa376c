// A unified diff of two texts. Patches change few lines, so it looks only for the longest common lines around them, by
// the simple dynamic program.

/** Gives the diff with three lines of context. */
export function unifiedDiff(file: string, one: string, other: string): string {
  const [before, after] = [one.split("\n"), other.split("\n")];
  const marks = markedLines(before, after);
  const hunks = hunksOf(marks);
  return `--- a/${file}\n+++ b/${file}\n${hunks.join("")}`;
}

interface Mark {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

function markedLines(before: readonly string[], after: readonly string[]): readonly Mark[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail += 1;
  const same = (text: string): Mark => ({ sign: " ", text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** Lines that differ somewhere, by the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): readonly Mark[] {
  const lengths = before.map(() => new Array<number>(after.length + 1).fill(0));
  lengths.push(new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      lengths[i]![j] =
        before[i] === after[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
  const marks: Mark[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      marks.push({ sign: " ", text: before[i]! });
      i += 1;
      j += 1;
    } else if (j >= after.length || (i < before.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      marks.push({ sign: "-", text: before[i]! });
      i += 1;
    } else {
      marks.push({ sign: "+", text: after[j]! });
      j += 1;
    }
  }
  return marks;
}

const context = 3;

function hunksOf(marks: readonly Mark[]): readonly string[] {
  const changed = marks.flatMap(({ sign }, at) => (sign === " " ? [] : [at]));
  const ranges: [number, number][] = [];
  for (const at of changed) {
    const last = ranges.at(-1);
    if (last && at - last[1] <= context * 2) last[1] = at;
    else ranges.push([at, at]);
  }
  return ranges.map(([from, to]) => {
    const [start, end] = [Math.max(0, from - context), Math.min(marks.length, to + context + 1)];
    const lines = marks
      .slice(start, end)
      .filter(({ sign, text }, at, all) => sign !== " " || text !== "" || at < all.length - 1);
    const count = (signs: string): number => lines.filter(({ sign }) => signs.includes(sign)).length;
    const line = (signs: string): number => marks.slice(0, start).filter(({ sign }) => signs.includes(sign)).length + 1;
    const body = lines.map(({ sign, text }) => `${sign}${text}\n`).join("");
    return `@@ -${line(" -")},${count(" -")} +${line(" +")},${count(" +")} @@\n${body}`;
  });
}
