import { describe } from "bun:test";
import { openTestLedger, testUrl } from "./aerospike/temporary.ts";
import { ledgerContract } from "./contract.ts";

const url = testUrl;
if (url) describe("ledger: aerospike", () => ledgerContract(openTestLedger(url)));
