-- heed: what the answer to a call outside any run (see visit) means for its account: a pause or a suspension.
-- KEYS: meta
-- ARGV: account, nonce, effects (JSON, see shared/accounts.lua)
-- Reply: 1
-- Again: changes nothing more.
local account, nonce, effects = ARGV[1], ARGV[2], cjson.decode(ARGV[3])
effects.nonce = nonce
protect(account, effects)
return 1
