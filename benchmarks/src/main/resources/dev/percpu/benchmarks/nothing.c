/* What a call costs that does nothing. It needs no processor and no kernel in particular, as sequence.c does. */
void nothing(void)
{
}
