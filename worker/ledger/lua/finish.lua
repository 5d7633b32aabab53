-- finish: running -> ended; outcome, channel and final state at once.
-- KEYS: meta
-- ARGV: job, token, nonce, ending (JSON: status, reason, code, warnings, entry, keep_ms, effects, unsent as for park), rest
--       (JSON text of the outcome's other fields without its brace)
-- Reply: 'ended'; 'overruled' where a late answer to an earlier call has said cancelled meanwhile and decides instead.
--        Of a call that holds the job no more: 'ended' where it says cancelled, the job is open and no newer call holds
--        it; 'kept' where one does (it decides once that call is over); 'over' where the run has ended otherwise (it is
--        kept in the history with a warning); else 'late': only a pause or a suspension takes effect.
-- Again: the same, nothing more changes.
local job, token, nonce, ending, rest = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4]), ARGV[5]
local hash = job_key(job)
local record = fields(hash, 'state', 'token', 'nonce', 'account', 'next', 'failing', 'called_at', 'kept', 'overruled',
  'late_ending')
local says_cancelled = ending.status == 'cancelled'
local is_ours = record.state == 'running' and record.token == token and record.nonce == nonce
ending.effects.nonce = nonce

-- What becomes of an answer that comes too late; nil where it ends the job all the same.
local function late()
  if record.kept == nonce then return 'kept' end
  local is_news = says_cancelled and record.state and record.state ~= 'cancelled'
  if is_news and record.state == 'running' then
    if record.late_ending then return 'kept' end -- that of another late answer
    keep_late_answer(job, nonce, ending.entry, { late_ending = ARGV[4], late_rest = rest })
    affect(record.account, ending.effects, { was_failing = record.failing, took_ms = 0 })
    return 'kept'
  end
  if is_news and OPEN[record.state] then return nil end
  if record.account then protect(record.account, ending.effects) end
  if not is_news then return 'late' end
  keep_late_word(job, nonce, ending.entry)
  return 'over'
end

if record.overruled == nonce then return 'overruled' end
if record.nonce == nonce and record.state == ending.status then return 'ended' end
if not is_ours then
  local reply = late()
  if reply then return reply end
end

local is_on_trial = is_ours and redis.call('HGET', account_key(record.account), 'trial') == job
local call = { is_on_trial = is_on_trial, was_failing = record.failing, took_ms = took_ms(record) }
ending.uncounted = is_ours and ending.unsent and asks_to_cancel(record) and 1 or nil
if is_ours and not says_cancelled
  and overrule(job, { nonce = nonce, entry = ending.entry, uncounted = ending.uncounted }) then
  affect(record.account, ending.effects, call)
  return 'overruled'
end
ending.rest, ending.nonce = rest, nonce
end_run(job, ending)
affect(record.account, ending.effects, call)
return 'ended'
