import { StoreUnavailable } from "../../stores/unavailable.ts";
import { SliceLoading, type SliceOf, type SliceQuestions } from "./slice-questions.ts";

/** How a question reaches the node of a slice; rejects when it doesn't. */
export type CallPeer = (question: string, argument: unknown) => Promise<unknown>;

const QUESTIONS = [
  "standings",
  "entriesOfUsers",
  "entries",
  "countTied",
  "countsAbove",
  "entryCounts",
  "rosterOf",
  "commitment",
  "proof",
] as const satisfies readonly (keyof SliceQuestions)[];

type Question = (typeof QUESTIONS)[number];

/** A slice that is not open is an answer, so that it is told apart from a peer that can't be reached. */
type PeerAnswer = { readonly answer: unknown } | { readonly loading: string };

/** Calls that another node may make here, by name. */
export const sliceHandlers = (local: SliceQuestions): Record<string, (argument: unknown) => Promise<PeerAnswer>> =>
  Object.fromEntries(
    QUESTIONS.map((question) => [
      `slice-${question}`,
      async (argument: unknown): Promise<PeerAnswer> => {
        try {
          const ask = local[question] as (...argument: unknown[]) => Promise<unknown>;
          return { answer: await ask.apply(local, argument as unknown[]) };
        } catch (error) {
          if (error instanceof StoreUnavailable) return { loading: error.reason };
          throw error;
        }
      },
    ]),
  );

/** The questions, asked of another node. */
export function peerSlices(call: CallPeer): SliceQuestions {
  const ask = async (question: Question, of: SliceOf, argument: readonly unknown[]): Promise<unknown> => {
    let answer: PeerAnswer;
    try {
      answer = (await call(`slice-${question}`, argument)) as PeerAnswer;
    } catch (error) {
      throw new SliceLoading(of, `can't be asked: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    if ("loading" in answer) throw new SliceLoading(of, `is not ready: ${answer.loading}`);
    return answer.answer;
  };
  return Object.fromEntries(
    QUESTIONS.map((question) => [question, (of: SliceOf, ...rest: unknown[]) => ask(question, of, [of, ...rest])]),
  ) as unknown as SliceQuestions;
}
