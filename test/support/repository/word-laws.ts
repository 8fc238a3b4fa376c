// The laws of words: phrases that no native reader would write, and the words of the past that the glossary lists.
// They hold in every text of the repository: code, comments, errors, help, pages and data.
import { broken, type Law } from "./laws.ts";
import { lineAt } from "./source.ts";

/** A phrase that may not occur, and what to write. The words are patterns; any white space may lie between them. */
interface Unwanted {
  readonly words: readonly string[];
  readonly instead: string;
}

/** Builds the rule for a phrase. Words between two lines of a comment are neighbours too. */
const never = (phrase: string, instead: string): Unwanted => ({ words: phrase.split(" "), instead });

const phrases: readonly Unwanted[] = [
  never("whom nobody", "say who does what"),
  never("such an? one", "name the thing"),
  never("somebody else", "name the client, the person or the process"),
  never("(?:is|are|was) to have", 'write "must have" or "has"'),
  never("at the (?:least|most|latest|earliest)", 'write "at least" or "at most"'),
  never("by now", 'write "now", or leave it out'),
  never("here and there", "say where"),
  never("come(?:s)? to (?:\\d|nothing|naught)", 'write "results in"'),
];

const oldWords: readonly Unwanted[] = [
  never("stand-?ins?", 'write "emulator"'),
  never("local[- ]?cloud", 'write "emulator"'),
  never("ballast local", 'write "ballast emulator"'),
  never("ballast simulate", 'write "ballast backtest"'),
  never("shadow limits?", 'write "dry-run thresholds"'),
  never("hindsight", 'write "backtest"'),
  never("kill tables?", 'write "mutation tests"'),
  never("sweep(?:s|ing|ers?)?", 'write "reconcile pass" or "recovery"'),
  never("patients?", 'write "context"'),
  never("stranded", 'write "degraded"'),
];

const patternOf = ({ words }: Unwanted): RegExp =>
  new RegExp(`(?<![\\w-])${words.join("\\s+(?:(?://|\\*|#|>)\\s*)?")}(?![\\w-])`, "gi");

/** Texts that may contain old words or unwanted phrases, each with the reason. */
export type OwnWords = Readonly<Record<string, string>>;

const wordLaw =
  (unwanted: readonly Unwanted[]) =>
  (ownWords: OwnWords): Law =>
  (files) =>
    files
      .filter(({ path }) => !(path in ownWords))
      .flatMap(({ path, text }) =>
        unwanted.flatMap((each) =>
          [...text.matchAll(patternOf(each))].map((match) =>
            broken(path, lineAt(text, match.index), `it says "${match[0].replace(/\s+/g, " ")}"`, each.instead),
          ),
        ),
      );

/** No text contains a phrase that a native reader would read twice. */
export const plainPhrases = wordLaw(phrases);

/** No text contains a word of the past; the glossary says what each became. */
export const noOldWords = wordLaw(oldWords);
