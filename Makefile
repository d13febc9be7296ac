# One entry point for people and CI. Needs npm, make and, for the fast kernel, a C compiler.
BUN := node_modules/.bin/bun
CC  ?= cc
KERNEL := build/libpowerplay.so
KERNEL_SOURCES := $(wildcard native/*.c native/*.h)
KAFKA := build/librdkafka.so
BENCH_LIBRARY := build/libboardbench.so
AEROSPIKE := build/libpowerplay-aerospike.so

.PHONY: run test install build check lint types unit format sim bench bench-boards bench-edge bench-money bench-aerospike bench-catalog clean client web schemas \
  services services-stop roll test-outages

## make run: install, build, play a match from an empty disk to paid-out prizes, keep serving on http://localhost:3000
run: install build
	$(BUN) src/main.ts demo

## make test: install, build, type check, lint, all tests; the last line counts them
test: install build check unit

install: node_modules/.installed

# No install scripts but bun's: those of the Kafka and Aerospike packages fetch and build addons that Bun can't load; what we
# take from them is their C libraries.
node_modules/.installed: package.json package-lock.json
	npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	cd node_modules/bun && node install.js
	@touch $@

build: install build/libraries.ts client web dist/powerplay

build/libraries.ts: $(KERNEL) $(KAFKA) $(AEROSPIKE) native/embed.ts
	@$(BUN) native/embed.ts

# One file that is the whole node, for machines with nothing else on them.
dist/powerplay: build/libraries.ts web $(shell find src schemas -name '*.ts' -o -name '*.sql' -o -name '*.cql' -o -name '*.tsx')
	@$(BUN) src/compile.ts

# Without a compiler (or with a broken one) the TypeScript kernel serves; it is slower and gives the same results.
$(KERNEL): $(KERNEL_SOURCES) Makefile
	@mkdir -p build
	@if command -v $(CC) >/dev/null 2>&1; then \
	  $(CC) -O3 -std=c11 -Wall -Wextra -Werror -fPIC -shared -pthread -o $@ $(filter %.c,$^) && echo "kernel: $@ built"; \
	else echo "kernel: no C compiler ($(CC)) found, using the TypeScript kernel"; fi

# Without a compiler the node runs on its embedded log, and refuses a Kafka log at its start.
$(KAFKA): $(wildcard native/kafka/*) node_modules/.installed
	@mkdir -p build
	@if command -v $(CC) >/dev/null 2>&1; then \
	  CC=$(CC) sh native/kafka/build.sh node_modules/@confluentinc/kafka-javascript $@; \
	else echo "kafka: no C compiler ($(CC)) found; EVENT_LOG_URL=kafka:// will be refused"; fi

# Only a node whose LEDGER_URL names an Aerospike cluster opens it.
$(AEROSPIKE): $(wildcard native/aerospike/*.c native/aerospike/*.h) Makefile
	@mkdir -p build
	@if command -v $(CC) >/dev/null 2>&1; then \
	  $(CC) -O2 -std=c11 -Wall -Wextra -Werror -fPIC -shared -pthread -o $@ $(filter %.c,$^) && echo "aerospike: $@ built"; \
	else echo "aerospike: no C compiler ($(CC)) found, no ledger on Aerospike"; fi

## make client: bundle src/client for browsers into build/client.js and print its size
client: install
	@$(BUN) src/client/build.ts

## make web: bundle the web app into build/web, from where the node serves it, and print its size
web: install
	@$(BUN) src/web/build.ts

check: types lint

types: install
	node_modules/.bin/tsc -p .

lint: install
	node_modules/.bin/oxlint --deny-warnings
	node_modules/.bin/prettier --check --log-level=warn .

format: install
	node_modules/.bin/prettier --write --log-level=warn .

unit: install build $(BENCH_LIBRARY)
	@$(BUN) src/testing/run-tests.ts

## make test-outages: each server stopped, killed and frozen for a minute under load (OUTAGE_MS), each of three Kafka brokers killed; make test does so for ten seconds, and with one
test-outages: install build
	@OUTAGE_MS=$${OUTAGE_MS:-60000} $(BUN) src/testing/run-tests.ts src/testing/outages src/stores/event-log/kafka-brokers.test.ts

## make sim: 1,000 simulated matches with new seeds (SEEDS=1000000 for a million, FROM= for where they begin); SEED=n replays one exactly
sim: install
	@$(BUN) src/testing/run-simulation.ts

## make bench: scoring and validation; saves and joins through HTTP with durable acknowledgements, beside the naive design
bench: install build
	$(BUN) bench/scoring.ts
	$(BUN) bench/validation.ts
	$(BUN) bench/stores.ts
	$(BUN) bench/http.ts

## make bench-boards: 12 M, 60 M and 150 M entries re-ranked per ball, beside Redis; writes bench/results (see bench/boards/run.ts)
bench-boards: install build $(BENCH_LIBRARY)
	$(BUN) bench/boards/run.ts

# The read bandwidth of the machine, and a contender: what the benchmark alone needs in C.
$(BENCH_LIBRARY): $(wildcard bench/boards/*.c) Makefile
	@mkdir -p build
	@if command -v $(CC) >/dev/null 2>&1; then \
	  $(CC) -O3 -std=c11 -Wall -Wextra -Werror -fPIC -shared -pthread -o $@ $(filter %.c,$^); \
	else echo "bench: no C compiler ($(CC)) found"; fi

## make bench-edge: followers on one node process and on six, durable team saves over the socket; five minutes
bench-edge: install build
	$(BUN) bench/edge/pushes.ts
	$(BUN) bench/edge/nodes.ts
	$(BUN) bench/edge/saves.ts

## make bench-money: joins and transfers beside Postgres (Debian package postgresql), the hot spot, 12 M entries settled; six minutes
bench-money: install
	$(BUN) bench/money.ts

## make bench-catalog: joins of the catalog over Postgres beside the embedded engine and one transaction a join; five minutes
bench-catalog: install
	$(BUN) bench/catalog.ts

## make bench-aerospike: the ledger on the server of TEST_AEROSPIKE_URL beside the embedded one; three minutes
bench-aerospike: install build
	$(BUN) bench/aerospike.ts

## make bench-cluster: saves and joins over real servers on 1, 2 and 4 nodes and on up to 8 small ones, beside embedded stores and one Postgres; writes bench/results (see bench/cluster/run.ts)
bench-cluster: install build build/libsynccount.so
	$(BUN) bench/cluster/run.ts

build/libsynccount.so: bench/cluster/sync_count.c Makefile
	@mkdir -p build
	@if command -v $(CC) >/dev/null 2>&1; then \
	  $(CC) -O2 -std=c11 -Wall -Wextra -Werror -fPIC -shared -o $@ $<; \
	else echo "bench: no C compiler ($(CC)) found, fsyncs are not counted"; fi

## make schemas: generate the code of schemas/*.fbs (Debian package flatbuffers-compiler, 2.0.8 or later)
schemas: install
	rm -rf src/realtime/board/generated src/edge/socket/generated
	flatc --ts --gen-mutable -o src/realtime/board/generated schemas/board.fbs
	flatc --ts -o src/edge/socket/generated schemas/wire.fbs
	flatc --binary --schema -o build schemas/wire.fbs
	$(BUN) schemas/wire-shapes.ts build/wire.bfbs ClientOut > build/shapes.ts
	mv build/shapes.ts src/edge/socket/generated/shapes.ts
	find src/edge/socket/generated -name '*.ts' ! -name shapes.ts -exec sed -i '1a // @ts-nocheck: flatc leaves unused imports' {} +

## make services: start Redis, Postgres, Kafka, Cassandra and, where found, Aerospike for the tests; build/services.env says where (see ops/services)
services: install
	@$(BUN) ops/services/command.ts start

services-stop: install
	@$(BUN) ops/services/command.ts stop

## make roll GROUP=a: restart the nodes of a group of CLUSTER (ops/cluster.json, see ops/cluster.example.json) one by one; DRY=1 only tells
roll: install
	@$(BUN) ops/roll/command.ts

clean:
	@[ ! -d build/services ] || $(BUN) ops/services/command.ts stop
	rm -rf build dist data test-output
