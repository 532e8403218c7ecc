-- ARGV: id, token. Returns 'lost', or the pending request: '' or 'cancel'.
if not holds(ARGV[1], ARGV[2]) then return 'lost' end
keep_claim(ARGV[1], ARGV[2])
return get(ARGV[1], 'stop') == 'cancel' and 'cancel' or ''
