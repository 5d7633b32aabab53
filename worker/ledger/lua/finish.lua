-- finish: running -> ended; outcome, channel and final state at once.
-- KEYS: meta
-- ARGV: job, token, nonce, ending (JSON: status, reason, code, warnings, entry, keep_ms, effects, unsent as for park), rest
--       (JSON text of the outcome's other fields without its brace)
-- Reply: 'ended'; 'late' where the lease is no longer this call's: then only a pause or a suspension takes effect; 'over'
--        where the run has ended otherwise (a late cancellation is then kept in the history with a warning).
-- Again: the same, nothing more changes. A late answer that says cancelled ends the job if it is still open.
local job, token, nonce, ending, rest = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4]), ARGV[5]
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'account', 'next', 'failing', 'called_at')
local says_cancelled = ending.status == 'cancelled'
ending.effects.nonce = nonce

if record.nonce == nonce and record.state == ending.status then return 'ended' end
local is_ours = record.state == 'running' and record.token == token and record.nonce == nonce
if not is_ours and not (says_cancelled and OPEN[record.state]) then
  if record.account then protect(record.account, ending.effects) end
  if says_cancelled and record.state and record.state ~= 'cancelled' then
    keep_late_word(job, nonce, ending.entry)
    return 'over'
  end
  return 'late'
end

local is_on_trial = is_ours and redis.call('HGET', account_key(record.account), 'trial') == job
local call = { is_on_trial = is_on_trial, was_failing = record.failing, took_ms = took_ms(record) }
if is_ours and ending.unsent and asks_to_cancel(record) then ending.uncounted = 1 end
ending.rest, ending.nonce = rest, nonce
end_run(job, ending)
affect(record.account, ending.effects, call)
return 'ended'
