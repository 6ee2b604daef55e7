"""Promises, waiting, timers and caches on a real driver loop."""


def test_a_promise_chain_runs_on_later_ticks_and_keeps_order(fresh_lua):
    assert fresh_lua.run("""
        local promise = require "util.promise";
        local seen = {};
        local function note(what) seen[#seen + 1] = what; end
        promise.new(function (resolve) note("executor"); resolve(5); end)
            :next(function (value) note("value" .. value); error({ kind = "table" }); end)
            :catch(function (err) note(err.kind); error("text"); end)
            :catch(function (err) note(err:match("text")); return 9; end)
            :finally(function () note("finally"); end)
            :next(function (value) note("end" .. value); end);
        note("after");
        driver.run();
        return table.concat(seen, " ");
    """) == b"after executor value5 table text finally end9"


def test_combined_promises_settle(fresh_lua):
    assert fresh_lua.run("""
        local p = require "util.promise";
        local seen = {};
        p.all({ p.resolve(1), 2, key = p.resolve(3) }):next(function (r)
            seen[1] = r[1] + r[2] + r.key;
        end);
        p.all({ p.resolve(1), p.reject("bad") }):catch(function (e) seen[2] = e; end);
        p.all_settled({ p.resolve(1), p.reject("x") }):next(function (r)
            seen[3] = r[1].status .. r[2].reason;
        end);
        p.race({ p.new(function () end), p.resolve(4) }):next(function (v) seen[4] = v; end);
        p.join(function (a, b) return a * b; end, p.resolve(6), p.resolve(7))
            :next(function (v) seen[5] = v; end);
        p.try(function () error("z", 0); end):catch(function (e) seen[6] = e:match("^z"); end);
        p.all({}):next(function (r) seen[7] = type(r); end);
        p.new(function (resolve) resolve(p.resolve(8)); resolve(9); end):next(function (v)
            seen[8] = v;
        end);
        driver.run();
        return (table.unpack or unpack)(seen, 1, 8);
    """) == (6, b"bad", b"fulfilledx", 4, 42, b"z", b"table", 8)


def test_code_outside_of_runners_waits_through_the_driver(fresh_lua):
    assert fresh_lua.run("""
        local async, promise = require "util.async", require "util.promise";
        local seen = { async.ready() };
        driver.start(function ()
            seen[2] = async.ready();
            async.sleep(2);
            seen[3] = driver.now();
            seen[4] = async.wait_for(promise.resolve("value"));
            local value, err = async.wait_for(promise.reject("reason"));
            seen[5] = value == nil and err;
        end);
        driver.run(5);
        return (table.unpack or unpack)(seen, 1, 5);
    """) == (False, True, 2, b"value", b"reason")


def test_a_runner_works_on_one_input_after_the_other(fresh_lua):
    assert fresh_lua.run("""
        local async = require "util.async";
        local seen, finish = {}, nil;
        local function note(what) seen[#seen + 1] = what; end
        local runner = async.runner(function (input)
            note(input);
            local wait, done = async.waiter();
            finish = done;
            wait();
            note(input .. "-done");
        end, {
            waiting = function () note("WAITING"); end, ready = function () note("READY"); end,
        });
        local _, state, queued = runner:run("a");
        note(state .. queued);
        runner:run("b");
        note(runner.state);
        finish();
        note(runner.state);
        finish();
        note(runner.state);
        return table.concat(seen, " ");
    """) == b"a WAITING waiting0 waiting a-done b waiting b-done READY ready"


def test_an_error_in_a_runner_reaches_its_watcher_and_the_next_input_runs(fresh_lua):
    assert fresh_lua.run("""
        local async = require "util.async";
        local errors, ran = {}, 0;
        local runner = async.runner(function (input)
            ran = ran + 1;
            if input == "bad" then error("oops", 0); end
        end, { error = function (_, err) errors[#errors + 1] = err; end });
        runner:run("bad");
        runner:run("good");
        return errors[1], #errors, ran, runner.state;
    """) == (b"oops", 1, 2, b"ready")


def test_requests_to_the_driver_pass_through_a_runner(fresh_lua):
    assert fresh_lua.run("""
        local async = require "util.async";
        local seen = {};
        local co = coroutine.create(function ()
            async.runner(function ()
                seen[1] = coroutine.yield("request", 1);
                local ok, answer = pcall(coroutine.yield, "request", 2);
                seen[2] = answer;
            end):run(true);
            seen[3] = "end";
        end);
        local _, kind, number = coroutine.resume(co);
        seen[4] = kind .. number;
        coroutine.resume(co, "first");
        coroutine.resume(co, "second");
        return (table.unpack or unpack)(seen, 1, 4);
    """) == (b"first", b"second", b"end", b"request1")


def test_done_before_wait_and_too_often(fresh_lua):
    assert fresh_lua.run("""
        local async = require "util.async";
        local result = {};
        driver.start(function ()
            local wait, done = async.waiter(2);
            done(); done();
            wait();
            result[1] = "went on";
            result[2] = select(2, pcall(done)):match("done%(%) called too many times");
            local _, many = async.waiter(1, true);
            many(); many();
        end);
        local ok, err = pcall(async.waiter);
        return result[1], result[2], ok, err:match("async context");
    """) == (b"went on", b"done() called too many times", False, b"async context")


def test_a_guard_lets_one_in_at_a_time(fresh_lua):
    assert fresh_lua.run("""
        local async = require "util.async";
        local guard, seen = async.guarder(), {};
        for _, name in ipairs { "a", "b", "c" } do
            driver.next_tick(function ()
                local leave = guard("id");
                seen[#seen + 1] = name .. "+";
                async.sleep(1);
                seen[#seen + 1] = name .. "-";
                leave();
            end);
        end
        driver.run(10);
        return table.concat(seen);
    """) == b"a+a-b+b-c+c-"


def test_timers_repeat_stop_and_move(fresh_lua):
    assert fresh_lua.run("""
        local timer, watchdog = require "util.timer", require "util.watchdog";
        local seen = {};
        local count = 0;
        timer.add_task(1, function (now, id, param)
            count = count + 1;
            seen[#seen + 1] = param .. driver.now();
            return count < 3 and 1 or nil;
        end, "t");
        timer.stop(timer.add_task(1, function () seen[#seen + 1] = "never"; end));
        timer.reschedule(timer.add_task(1, function () seen[#seen + 1] = "late"; end), 4);
        local dog = watchdog.new(2.5, function () seen[#seen + 1] = "bark"; end);
        timer.add_task(1, function () dog:reset(); end);
        driver.run(10);
        return (table.concat(seen, " "):gsub("%.0", ""));
    """) == b"t1 t2 t3 bark late"


def test_events_run_by_priority_and_stop_at_the_first_answer(lua):
    assert lua.run("""
        local events = require "util.events".new();
        local seen = {};
        local function handler(name, answer)
            return function () seen[#seen + 1] = name; return answer; end;
        end
        local twice = handler("twice");
        events.add_handler("e", handler("default"));
        events.add_handler("e", handler("second"));
        events.add_handler("e", handler("first"), 1);
        events.add_handler("e", handler("minus", false), -0.5);
        events.add_handler("e", handler("never"), -1);
        events.add_handler("e", twice, 100);
        events.add_handler("e", twice, -0.1);
        events.add_wrapper(false, function (inner, event, data)
            seen[#seen + 1] = "all";
            return inner(event, data);
        end);
        events.add_wrapper("e", function (inner, event, data)
            seen[#seen + 1] = "own";
            return inner(event, data);
        end);
        local result = events.fire_event("e", {});
        return table.concat(seen, " "), result;
    """) == (b"own all first default second twice minus", False)


def test_a_handler_added_while_an_event_runs_waits_for_the_next_one(lua):
    assert lua.run("""
        local events, count = require "util.events".new(), 0;
        local function late() count = count + 1; end
        events.add_handler("e", function () events.add_handler("e", late, -1); end);
        events.fire_event("e");
        local first = count;
        events.fire_event("e");
        return first, count;
    """) == (0, 1)


def test_a_full_cache_gives_up_its_oldest_item_unless_told_not_to(lua):
    assert lua.run("""
        local cache = require "util.cache";
        local gone = {};
        local c = cache.new(2, function (key) gone[#gone + 1] = key; return key ~= "keep"; end);
        c:set("a", 1); c:set("keep", 2); c:set("b", 3);
        local refused = c:set("c", 4);
        c:set("keep", nil);
        return table.concat(gone, ","), refused, c:count(), c:get("b"),
            cache.new(1, false):set("x", 1);
    """) == (b"a,keep", False, 1, 3, True)
