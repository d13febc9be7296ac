import { describe } from "bun:test";
import { inTemporaryDirectory } from "../sqlite/temporary.ts";
import { catalogContract } from "./contract.ts";
import { openEmbeddedCatalog } from "./embedded.ts";

describe("catalog: embedded", () =>
  catalogContract(inTemporaryDirectory((file) => openEmbeddedCatalog({ file, pendingMax: 100_000 }))));
