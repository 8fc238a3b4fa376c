// Agents that hand the same work to one another in a circle. Each waits for the next, which starts a new copy of the
// first; Claude Code ends it at its limit of depth, and what was asked for is not done.
import type { Graph } from "../graph.ts";
import { confidenceOf } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { claudeCodeViewOf, type Delegated, mayDelegate } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const steps = claudeCodeViewOf(graph).delegations.filter(
    ({ from, to, confidence }) =>
      confidence >= 0.85 &&
      from.kind === "agent" &&
      to.kind === "agent" &&
      from.notLoaded === undefined &&
      to.notLoaded === undefined &&
      mayDelegate(from),
  );
  const seen = new Set<string>();
  return steps.flatMap((step) => {
    const circle = shortestBack(step, steps);
    const key =
      circle
        ?.map(({ from }) => from.id)
        .toSorted()
        .join(" ") ?? "";
    if (circle === undefined || seen.has(key)) return [];
    seen.add(key);
    return [draft(circle)];
  });
}

/** Gives the shortest circle that begins with a step, by breadth; undefined if nothing leads back. */
function shortestBack(first: Delegated, steps: readonly Delegated[]): readonly Delegated[] | undefined {
  const reached = new Set([first.to.id]);
  let paths: (readonly Delegated[])[] = [[first]];
  while (paths.length > 0) {
    const closed = paths.find((path) => path.at(-1)!.to.id === first.from.id);
    if (closed !== undefined) return closed;
    paths = paths.flatMap((path) =>
      steps.flatMap((next) => {
        if (next.from.id !== path.at(-1)!.to.id || (next.to.id !== first.from.id && reached.has(next.to.id))) return [];
        reached.add(next.to.id);
        return [[...path, next]];
      }),
    );
  }
  return undefined;
}

function draft(circle: readonly Delegated[]): Draft {
  const names = [...circle.map(({ from }) => from.name), circle[0]!.from.name];
  const weakest = circle.toSorted((one, other) => one.confidence - other.confidence)[0]!;
  const isConditional = circle.some(({ edge }) => edge.facts?.["isConditional"] === true);
  const last = circle.at(-1)!;
  return {
    severity: isConditional ? "medium" : "high",
    known: { inferred: Math.min(confidenceOf(weakest.edge.evidence.known), 0.95) },
    place: last.edge.evidence.place,
    message: `The agents hand work to each other in a circle: ${names.join(" → ")}.`,
    cost: "Each waits for the next one until Claude Code's limit of depth ends the chain, and the work is not done.",
    fix: "let one of them return its result to its caller, and let the caller decide who is next",
    subject: `cycle ${[...new Set(names)].toSorted().join(" ")}`,
    related: circle
      .slice(0, -1)
      .map(({ edge, from, to }) => ({ place: edge.evidence.place, message: `${from.name} hands work to ${to.name}` })),
    path: circle.map(({ from }) => from.id),
  };
}

const agent = (name: string, text: string): string => `---
name: ${name}
description: Works on the ${name} of a change.
---

You are responsible for the ${name} of a change.
${text}
`;

export const agentDelegationCycle: Rule = {
  id: "agent-delegation-cycle",
  title: "Agents hand work to each other in a circle",
  systems: ["claude-code"],
  antiPattern: 2,
  focus: "resilience",
  why:
    "An agent waits for the agent that it starts, and starting an agent makes a new one: it cannot hand work back to " +
    "one that is already waiting. A circle therefore goes deeper with every step, until Claude Code refuses to start " +
    "another.",
  severity: "High. Medium if a request in the circle depends on a condition.",
  fix: "Return results to the caller, which knows both agents, instead of calling the agent that one was called by.",
  limits:
    "Only requests count, not descriptions of who works with whom. An agent whose tools leave out Agent cannot be " +
    "part of a circle. Requests are prose, so the finding is inferred.",
  failing: [
    {
      ".claude/agents/plan.md": agent(
        "plan-writer",
        "Write the plan, then use the `plan-reviewer` agent to review it.",
      ),
      ".claude/agents/review.md": agent(
        "plan-reviewer",
        "Hand the plan off to the `plan-writer` agent to correct what you found. <!-- <- finding -->",
      ),
    },
  ],
  nearMisses: [
    {
      files: {
        ".claude/agents/plan.md": agent(
          "plan-writer",
          "Write the plan, then use the `plan-reviewer` agent to review it.",
        ),
        ".claude/agents/review.md": agent(
          "plan-reviewer",
          "Report what you found to your caller. Do not call the `plan-writer` agent yourself.",
        ),
      },
      because: "The reviewer returns its result, and the other request is forbidden.",
      edit: {
        file: ".claude/agents/review.md",
        replace: "Do not call the `plan-writer` agent yourself.",
        by: "Call the `plan-writer` agent to correct it.",
      },
    },
  ],
  check,
};
